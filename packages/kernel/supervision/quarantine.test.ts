import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { temporaryFolder } from '../testing/build.js'
import { Quarantine } from './quarantine.js'

const entry = (id: string) => ({ id, version: '1.0.0', reason: 'it crashed 3 times', since: '2026-01-01T00:00:00.000Z' })
const folders: { path: string; remove(): void }[] = []
const folder = () => {
  const made = temporaryFolder()
  folders.push(made)
  return made.path
}
afterEach(() => {
  for (const made of folders.splice(0)) made.remove()
})

test('what one process puts into quarantine the next one finds, until it is taken out', async () => {
  const path = join(folder(), 'state')
  const first = await Quarantine.open(path)
  await first.add(entry('a'))
  const second = await Quarantine.open(path)
  expect(second.list()).toEqual([entry('a')])
  await second.delete('a')
  expect((await Quarantine.open(path)).list()).toEqual([])
  expect(readdirSync(path)).toEqual(['quarantine.json'])
  expect(statSync(join(path, 'quarantine.json')).mode & 0o777).toBe(0o600)
})

test('two processes keep what the other has written', async () => {
  const path = folder()
  const [one, other] = await Promise.all([Quarantine.open(path), Quarantine.open(path)])
  await one.add(entry('a'))
  await other.add(entry('b'))
  await Promise.all([one.add(entry('c')), one.delete('a')])
  expect((await Quarantine.open(path)).list().map(({ id }) => id)).toEqual(['b', 'c'])
})

test('without a folder it lives in memory', async () => {
  const quarantine = await Quarantine.open()
  await quarantine.add(entry('a'))
  expect(quarantine.get('a')).toEqual(entry('a'))
})

test('a malformed file is set aside with a coded warning, and the quarantine works on', async () => {
  const path = folder()
  const texts = ['', '{', 'null', '[]', '{"modules":{}}', '{"modules":[null]}', '{"modules":[{"id":"a"}]}', '\u0000\ufffd']
  for (const text of texts) {
    writeFileSync(join(path, 'quarantine.json'), text)
    const quarantine = await Quarantine.open(path)
    expect(quarantine.warning?.code).toBe('QUARANTINE_FILE')
    expect(quarantine.list()).toEqual([])
    await quarantine.add(entry('a'))
    expect((await Quarantine.open(path)).list()).toEqual([entry('a')])
  }
  const aside = readdirSync(path).filter((name) => name.includes('.bad-'))
  expect(aside.map((name) => readFileSync(join(path, name), 'utf8')).sort()).toEqual([...texts].sort())
})

test('no content of the file makes it throw', async () => {
  const path = folder()
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.json().map((json) => `{"modules":[${json}]}`),
      ),
      async (text) => {
        writeFileSync(join(path, 'quarantine.json'), text)
        const quarantine = await Quarantine.open(path)
        for (const { id, reason } of quarantine.list()) expect([typeof id, typeof reason]).toEqual(['string', 'string'])
      },
    ),
    { numRuns: process.env.ENIGMA_SOAK ? 2000 : 100 },
  )
})

test('a folder that cannot be written is a coded error, and the quarantine holds in memory', async () => {
  const path = folder()
  writeFileSync(join(path, 'file'), '')
  chmodSync(path, 0o700)
  const quarantine = await Quarantine.open(join(path, 'file', 'state'))
  await expect(quarantine.add(entry('a'))).rejects.toMatchObject({ code: 'QUARANTINE_FILE' })
  expect(quarantine.get('a')).toBeDefined()
})
