import fc from 'fast-check'
import { expect, test } from 'vitest'
import { eventData } from './event-stream.js'

async function* cut(bytes: Uint8Array, places: readonly number[]): AsyncGenerator<Uint8Array> {
  const borders = [0, ...[...places].map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  for (let i = 1; i < borders.length; i++) yield bytes.subarray(borders[i - 1], borders[i])
}

async function read(bytes: Uint8Array, places: readonly number[] = []): Promise<string[]> {
  const found: string[] = []
  for await (const data of eventData(cut(bytes, places))) found.push(data)
  return found
}

const bytes = (text: string) => new TextEncoder().encode(text)

test('events come out whole wherever the bytes are cut: in characters, lines and line ends', async () => {
  const line = fc.string({ unit: 'grapheme' }).map((text) => text.replace(/[\r\n\u2028]/g, ' '))
  const ends = fc.constantFrom('\n', '\r\n', '\r')
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { minLength: 1, maxLength: 5 }),
      ends,
      fc.array(fc.nat(), { maxLength: 8 }),
      async (texts, end, places) => {
        const sent = texts.map((text) => `: comment${end}event: x${end}data: ${text}${end}${end}`).join('')
        // A lone \r at the very end may still become \r\n.
        expect(await read(bytes(`${sent}:${end}:`), places)).toEqual(texts)
      },
    ),
    { numRuns: process.env.ENIGMA_SOAK ? 5_000 : 250 },
  )
})

test('data of several lines is one text; what the end cuts off is no event', async () => {
  expect(await read(bytes('data: a\ndata:b\n\ndata: half'))).toEqual(['a\nb'])
  expect(await read(bytes('data: half\n'))).toEqual([])
})

test('an event without an end is refused before it fills the memory', async () => {
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) yield bytes('x'.repeat(100_000))
  }
  await expect(eventData(endless()).next()).rejects.toMatchObject({ code: 'BAD_RESPONSE' })
})
