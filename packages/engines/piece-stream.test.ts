import type { Completion } from '@enigma/contracts'
import { expect, test } from 'vitest'
import { PieceStream } from './piece-stream.js'

const completion = (text: string): Completion => {
  return { text, tokens: 1, promptTokens: 1, tokensPerSecond: 1, finishReason: 'stop', model: 'm' }
}

test('every reader gets the whole text, also one who comes late', async () => {
  const stream = new PieceStream(async (push) => {
    push('a')
    await Promise.resolve()
    push('b')
    return completion('ab')
  }, new AbortController())
  const read = async () => {
    let text = ''
    for await (const piece of stream) text += piece
    return text
  }
  expect(await Promise.all([read(), read()])).toEqual(['ab', 'ab'])
  expect((await stream.result).text).toBe('ab')
  expect(await read()).toBe('ab')
})

test('leaving the loop ends the generation; reading to the end does not', async () => {
  for (const [leave, aborted] of [
    [true, true],
    [false, false],
  ]) {
    const controller = new AbortController()
    const stream = new PieceStream(async (push) => {
      push('a')
      push('b')
      return completion('ab')
    }, controller)
    for await (const _ of stream) if (leave) break
    expect(controller.signal.aborted).toBe(aborted)
  }
})

test('an error comes after the pieces that were made before it', async () => {
  const stream = new PieceStream(async (push) => {
    push('a')
    throw new Error('broken')
  }, new AbortController())
  const pieces: string[] = []
  const read = async () => {
    for await (const piece of stream) pieces.push(piece)
  }
  await expect(read()).rejects.toThrow('broken')
  expect(pieces).toEqual(['a'])
  await expect(stream.result).rejects.toThrow('broken')
})
