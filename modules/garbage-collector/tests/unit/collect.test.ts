import {
  existsSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { enigmaFolders } from '@enigma/files'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { find, remove } from '../../collect.js'
import { builtinRules } from '../../rules.js'

let folder = ''
let home = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'enigma-garbage-'))
  home = join(folder, 'enigma')
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

const hour = 3600_000
const rules = builtinRules({ interval: '1h', temporaryAge: '1h', logAge: '720h', cacheAge: '720h', memory: false })
const folders = () => enigmaFolders({ ENIGMA_HOME: home })
const look = () => find(rules, folders())
const never = new AbortController().signal
const paths = async () => (await look()).candidates.map(({ entry }) => relative(home, entry.path)).sort()

function age(path: string, ms: number): void {
  const time = (Date.now() - ms) / 1000
  if (lstatSync(path).isSymbolicLink()) lutimesSync(path, time, time)
  else utimesSync(path, time, time)
}

/** A file of 10 bytes in the home, of an age in hours. */
function file(name: string, hours: number): string {
  const path = join(home, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, '0123456789')
  age(path, hours * hour)
  return path
}

function emptyFolder(name: string, hours: number): string {
  const path = join(home, name)
  mkdirSync(path, { recursive: true })
  age(path, hours * hour)
  return path
}

const dead = 2 ** 30

test.each([
  ['state/.heartbeat.json.1a2b3c4d.tmp', 2],
  ['state/deep/er/.x.1a2b3c4d.tmp', 2],
  ['cache/anything.tmp', 2],
  ['enigma_modules.json.1a2b3c4d.tmp', 2],
  [`models/tiny/.model.safetensors.0123abcd-${dead}-ff.tmp`, 2],
  ['logs/enigma.3.log', 721],
  ['state/events/events.2.jsonl', 721],
  ['cache/thumbnails/a.png', 721],
])('%s, %d hours old, is garbage; a little younger it is not', async (name, hours) => {
  file(name, hours)
  expect(await paths()).toEqual([name])
  age(join(home, name), (hours - 1.5) * hour)
  expect(await paths()).toEqual([])
})

test.each([
  'state/heartbeat.json',
  'state/notes.tmp',
  'logs/enigma.log',
  'logs/mine.1.log',
  'models/tiny/model.safetensors',
  'models/tiny/notes.tmp',
  `models/tiny/.model.safetensors.0123abcd-${process.pid}-ff.tmp`,
  'models/tiny/trainer/latest.json',
  'config.json',
  'chat-history',
])('%s stays, however old', async (name) => {
  file(name, 100_000)
  expect(await paths()).toEqual([])
})

test('an empty trainer folder goes, one with anything in it stays', async () => {
  emptyFolder('models/a/trainer', 2)
  file('models/b/trainer/latest.json', 2)
  age(join(home, 'models/b/trainer'), 2 * hour)
  expect(await paths()).toEqual(['models/a/trainer'])
  const found = await look()
  writeFileSync(join(home, 'models/a/trainer/latest.json'), '{}')
  expect((await remove(found, never)).files).toBe(0)
  expect(existsSync(join(home, 'models/a/trainer/latest.json'))).toBe(true)
})

test('a half-written folder counts with all that is in it, and its newest part is its age', async () => {
  const name = `models/a/.model.0123abcd-${dead}-ff.tmp`
  file(`${name}/weights`, 2)
  file(`${name}/deep/state`, 0)
  age(join(home, name, 'deep'), 2 * hour)
  age(join(home, name), 2 * hour)
  expect(await paths()).toEqual([])
  age(join(home, name, 'deep/state'), 2 * hour)
  const found = await look()
  expect(found.candidates.map(({ item }) => [item.rule, item.bytes])).toEqual([['model-temporary-folder', 20]])
  expect(await remove(found, never)).toMatchObject({ files: 1, bytes: 20, problems: [] })
  expect(readdirSync(join(home, 'models/a'))).toEqual([])
})

test('the mailbox of a process that is gone goes with what is in it, that of a living one stays', async () => {
  file(`state/events/inbox/${dead}-1a2b3c4d/1.mail`, 2)
  file(`state/events/inbox/${process.pid}-1a2b3c4d/1.mail`, 2)
  for (const pid of [dead, process.pid]) age(join(home, `state/events/inbox/${pid}-1a2b3c4d`), 2 * hour)
  expect(await paths()).toEqual([`state/events/inbox/${dead}-1a2b3c4d`])
})

test('links are neither followed nor removed', async () => {
  const outside = join(folder, 'outside')
  mkdirSync(outside)
  writeFileSync(join(outside, 'old.tmp'), 'precious')
  age(join(outside, 'old.tmp'), 9999 * hour)
  mkdirSync(join(home, 'cache'), { recursive: true })
  symlinkSync(outside, join(home, 'cache', 'linked'))
  symlinkSync(join(outside, 'old.tmp'), join(home, 'cache', 'link.tmp'))
  age(join(home, 'cache', 'link.tmp'), 9999 * hour)
  expect(await paths()).toEqual([])
})

test('a folder that leads out of the home through a link is left alone, and the report says so', async () => {
  mkdirSync(join(folder, 'elsewhere'), { recursive: true })
  file('state/x', 1)
  symlinkSync(join(folder, 'elsewhere'), join(home, 'models'))
  const { candidates, problems } = await look()
  expect(candidates).toEqual([])
  expect(problems).toEqual([expect.stringContaining(`it lies outside of ${home}`)])
})

test('a folder that became a link between finding and removing keeps what is behind it', async () => {
  file('cache/a/x.tmp', 2)
  const found = await look()
  expect(found.candidates).toHaveLength(1)
  const outside = join(folder, 'outside')
  renameSync(join(home, 'cache', 'a'), outside)
  symlinkSync(outside, join(home, 'cache', 'a'))
  expect((await remove(found, never)).files).toBe(0)
  expect(existsSync(join(outside, 'x.tmp'))).toBe(true)
})

test('a file that was written again or removed meanwhile is no problem', async () => {
  const again = file('cache/a.tmp', 2)
  rmSync(file('cache/b.tmp', 2))
  file('cache/b.tmp', 2)
  const found = await look()
  expect(found.candidates).toHaveLength(2)
  writeFileSync(again, 'new')
  rmSync(join(home, 'cache/b.tmp'))
  expect(await remove(found, never)).toMatchObject({ files: 0, problems: [] })
  expect(existsSync(again)).toBe(true)
})

test('a folder that is not ours is refused by name', async () => {
  home = join(folder, 'documents')
  file('cache/old.tmp', 9999)
  file('thesis.txt', 9999)
  const { candidates, problems } = await look()
  expect(candidates).toEqual([])
  expect(problems).toContainEqual(expect.stringContaining(`${home} is left alone`))
})

test('a rule whose code throws is a problem of its own', async () => {
  file('cache/a.tmp', 2)
  const bad = { ...rules[1]!, id: 'bad', matches: () => JSON.parse('{') as boolean }
  const { candidates, problems } = await find([bad, ...rules], folders())
  expect(candidates).toHaveLength(1)
  expect(problems).toEqual([expect.stringContaining("The garbage rule 'bad' failed")])
})

test('an abort ends the removal where it is', async () => {
  for (let n = 0; n < 100; n++) file(`cache/${n}.tmp`, 2)
  const stopped = new AbortController()
  const removing = remove(await look(), stopped.signal)
  stopped.abort()
  expect((await removing).files).toBeLessThan(100)
  expect((await remove(await look(), never)).files).toBeGreaterThan(0)
  expect(readdirSync(join(home, 'cache'))).toEqual([])
})

test('whatever lies in the cache: what is old goes, what is young or outside stays', async () => {
  const name = fc.stringMatching(/^[a-z]{1,3}(\/[a-z]{1,3}){0,2}(\.tmp)?$/)
  const tree = fc.uniqueArray(fc.record({ name, hours: fc.constantFrom(0, 0.9, 1.1, 700, 800) }), {
    selector: ({ name }) => name.split('/')[0]!.slice(0, 3),
    maxLength: 12,
  })
  await fc.assert(
    fc.asyncProperty(tree, async (files) => {
      rmSync(home, { recursive: true, force: true })
      for (const each of files) file(`cache/${each.name}`, each.hours)
      file('models/a/weights', 9999)
      await remove(await look(), never)
      for (const { name, hours } of files) {
        const old = hours > (name.endsWith('.tmp') ? 1 : 720)
        expect([name, hours, existsSync(join(home, 'cache', name))]).toEqual([name, hours, !old])
      }
      expect(existsSync(join(home, 'models/a/weights'))).toBe(true)
    }),
    { numRuns: process.env.ENIGMA_SOAK ? 600 : 30 },
  )
})
