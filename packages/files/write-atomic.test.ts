import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { writeAtomic } from './write-atomic.js'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'enigma-files-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

test('the folder is made, the file belongs to the user alone, and nothing is left aside', async () => {
  const path = join(folder, 'a', 'b', 'state.json')
  await writeAtomic(path, 'first')
  await writeAtomic(path, 'second')
  expect(readFileSync(path, 'utf8')).toBe('second')
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(readdirSync(join(folder, 'a', 'b'))).toEqual(['state.json'])
})

test('a write that cannot take its place throws and leaves nothing behind', async () => {
  mkdirSync(join(folder, 'state.json', 'in the way'), { recursive: true })
  await expect(writeAtomic(join(folder, 'state.json'), 'text')).rejects.toThrow(/EISDIR|ENOTEMPTY|EEXIST/)
  expect(readdirSync(folder)).toEqual(['state.json'])
})

test('many writes at once leave one of them, whole', async () => {
  const path = join(folder, 'state.json')
  const texts = Array.from({ length: 20 }, (_, n) => String(n).repeat(10_000 + n))
  await Promise.all(texts.map((text) => writeAtomic(path, text)))
  expect(texts).toContain(readFileSync(path, 'utf8'))
  expect(readdirSync(folder)).toEqual(['state.json'])
})
