import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { isInside, ownership } from '../../owned-folder.js'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'enigma-garbage-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

function make(...paths: string[]): void {
  for (const path of paths) mkdirSync(join(folder, path), { recursive: true })
}
const owned = async (path: string, part = true) => (await ownership(join(folder, path), part)).owned

test('a folder called enigma is ours, and what lies right below it', async () => {
  make('share/enigma/logs')
  expect([await owned('share/enigma', false), await owned('share/enigma/logs'), await owned('share')]).toEqual([
    true,
    true,
    false,
  ])
})

test('a home of any name is ours when it holds what Enigma puts there, and nothing else', async () => {
  make('home/models', 'home/module-data', 'home/state', 'home/cache')
  expect([await owned('home', false), await owned('home/cache')]).toEqual([true, true])
  writeFileSync(join(folder, 'home', 'novel.txt'), 'Once upon a time')
  expect([await owned('home', false), await owned('home/cache')]).toEqual([false, false])
  writeFileSync(join(folder, 'home', '.enigma'), '')
  expect([await owned('home', false), await owned('home/cache')]).toEqual([true, true])
})

test('a home that is not ours does not become ours by what lies above it', async () => {
  make('enigma/work/cache', 'enigma/work/papers')
  expect([await owned('enigma/work', false), await owned('enigma/work/cache')]).toEqual([false, false])
})

test('the home and the temporary folder of the system are never ours, also behind a link', async () => {
  symlinkSync(tmpdir(), join(folder, 'enigma'))
  for (const path of [homedir(), tmpdir(), '/', join(folder, 'enigma')]) expect((await ownership(path, true)).owned).toBe(false)
})

test('an empty folder of any name is not ours, and one that is not there needs no reason', async () => {
  make('empty')
  expect(await ownership(join(folder, 'empty'), true)).toMatchObject({ owned: false, why: expect.stringContaining("'.enigma'") })
  expect(await ownership(join(folder, 'nothing'), true)).toEqual({ owned: false, why: undefined })
})

test('inside is inside, however paths are spelled', () => {
  expect([isInside('/a/b', '/a/b'), isInside('/a/b', '/a/b/c'), isInside('/a/b', '/a/b..c'), isInside('/a/b', '/a')]).toEqual([
    true,
    true,
    false,
    false,
  ])
  expect([isInside('/a/b', '/a/b/..c'), isInside('/a/b', '/a/bc')]).toEqual([true, false])
})
