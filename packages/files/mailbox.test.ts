import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Mailbox } from './mailbox.js'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'enigma-files-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

test('messages are taken in the order in which they were left, each once, and nothing remains', async () => {
  const mail = new Mailbox(join(folder, 'deep', 'inbox'))
  expect(await mail.take()).toEqual([])
  await mail.leave('one')
  await mail.leave('two\nlines')
  expect(await mail.take()).toEqual(['one', 'two\nlines'])
  expect(await mail.take()).toEqual([])
  expect(readdirSync(mail.folder)).toEqual([])
  await mail.close()
  expect(readdirSync(join(folder, 'deep'))).toEqual([])
})

test('of many writers and many takers, every message reaches exactly one', async () => {
  const messages = Array.from({ length: 60 }, (_, n) => `message ${n}`)
  const taken: string[] = []
  const takers = Array.from({ length: 6 }, async () => {
    for (let i = 0; i < 10; i++) taken.push(...(await new Mailbox(folder).take()))
  })
  await Promise.all([...messages.map((message) => new Mailbox(folder).leave(message)), ...takers])
  taken.push(...(await new Mailbox(folder).take()))
  expect(taken.sort()).toEqual(messages.sort())
})

test('a mailbox that nobody empties refuses more, and letters have a length', async () => {
  const mail = new Mailbox(folder)
  expect(await mail.leave('x'.repeat(65_537))).toBe(false)
  for (let n = 0; n < 1000; n++) writeFileSync(join(folder, `${n}.mail`), '')
  expect(await mail.leave('one more')).toBe(false)
})
