import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { temporaryFolder } from '../testing/build.js'
import { differencesOf, differencesText, fingerprintOf } from './fingerprint.js'

let folder: ReturnType<typeof temporaryFolder>
beforeEach(() => {
  folder = temporaryFolder({
    'module.yaml': 'id: a',
    'dist/index.js': 'one',
    'dist/cli/go.js': 'two',
    'README.md': 'words',
    'node_modules/x/index.js': 'another package',
  })
})
afterEach(() => folder.remove())

const write = (name: string, text: string) => writeFileSync(join(folder.path, name), text)

test('a module is its files: names and contents, in whatever order they lie', async () => {
  const before = await fingerprintOf(folder.path)
  expect(Object.keys(before.files)).toEqual(['dist/cli/go.js', 'dist/index.js', 'module.yaml'])
  expect(before.integrity).toMatch(/^sha512-[\w+/]{86}==$/)
  write('README.md', 'other words')
  write('node_modules/x/index.js', 'changed')
  expect(await fingerprintOf(folder.path)).toEqual(before)
  renameSync(join(folder.path, 'dist/index.js'), join(folder.path, 'dist/index2.js'))
  expect((await fingerprintOf(folder.path)).integrity).not.toBe(before.integrity)
})

test('what changed is named', async () => {
  const before = await fingerprintOf(folder.path)
  write('dist/index.js', 'two')
  write('dist/new.js', '')
  renameSync(join(folder.path, 'dist/cli/go.js'), join(folder.path, 'README.md'))
  const differences = differencesOf(before.files, (await fingerprintOf(folder.path)).files)
  expect(differences).toEqual({ changed: ['dist/index.js'], added: ['dist/new.js'], removed: ['dist/cli/go.js'] })
  expect(differencesText(differences)).toBe('dist/index.js is changed, dist/new.js is new, dist/cli/go.js is gone')
  const many = { changed: ['a', 'b', 'c', 'd', 'e'], added: [], removed: [] }
  expect(differencesText(many)).toBe('a, b, c and 2 more are changed')
})

test('of an installed module every file counts, and links by where they lead', async () => {
  const all = () => fingerprintOf(folder.path, { all: true })
  const before = await all()
  expect(Object.keys(before.files)).toContain('node_modules/x/index.js')
  write('node_modules/x/index.js', 'changed')
  const after = await all()
  expect(differencesOf(before.files, after.files).changed).toEqual(['node_modules/x/index.js'])
  mkdirSync(join(folder.path, 'empty'))
  symlinkSync('/etc', join(folder.path, 'way-out'))
  const linked = await all()
  expect(differencesOf(after.files, linked.files).added).toEqual(['way-out'])
})
