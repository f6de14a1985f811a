import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { RotatingFile } from './rotating-file.js'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'enigma-log-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

const line = (n: number) => `line ${n}\n`.padStart(10, ' ')

test('a full file is put aside, and only so many files are kept, with the newest lines', () => {
  const file = new RotatingFile(folder, 'enigma.log', 30, 3)
  for (let n = 0; n < 12; n++) file.write(line(n % 10))
  file.close()
  expect(readdirSync(folder).sort()).toEqual(['enigma.1.log', 'enigma.2.log', 'enigma.log'])
  const numbers = (name: string) => [...readFileSync(join(folder, name), 'utf8').matchAll(/\d/g)].map(Number)
  expect([numbers('enigma.2.log'), numbers('enigma.1.log'), numbers('enigma.log')]).toEqual([
    [3, 4, 5],
    [6, 7, 8],
    [9, 0, 1],
  ])
  expect(file.rotated).toEqual(['enigma.1.log', 'enigma.2.log'])
})

test('an existing file is appended to and its size counts', () => {
  new RotatingFile(folder, 'enigma.log', 30, 3).write(line(1))
  const file = new RotatingFile(folder, 'enigma.log', 30, 3)
  expect(file.size).toBe(10)
  file.write(line(2))
  file.close()
  expect(readFileSync(file.path, 'utf8')).toBe(line(1) + line(2))
})

test('a single file is begun anew when it is full, and a long line has a file for itself', () => {
  const file = new RotatingFile(folder, 'enigma.log', 30, 1)
  for (let n = 0; n < 5; n++) file.write(line(n))
  expect(readFileSync(file.path, 'utf8')).toBe(line(3) + line(4))
  file.write(`${'x'.repeat(100)}\n`)
  file.close()
  expect(readdirSync(folder)).toEqual(['enigma.log'])
  expect(file.size).toBe(101)
})

test('a folder that is removed is made again at the next rotation', () => {
  const file = new RotatingFile(folder, 'enigma.log', 30, 2)
  rmSync(folder, { recursive: true })
  for (let n = 0; n < 4; n++) file.write(line(n))
  file.close()
  expect(file.problem).toBeUndefined()
  expect(readFileSync(file.path, 'utf8')).toBe(line(3))
})

test('a line that cannot be written is reported, not thrown', () => {
  const file = new RotatingFile(folder, 'enigma.log', 30, 2)
  rmSync(folder, { recursive: true })
  writeFileSync(folder, 'a file where the folder was')
  for (let n = 0; n < 4; n++) file.write(line(n))
  expect(file.problem).toMatch(/EEXIST|ENOTDIR/)
})
