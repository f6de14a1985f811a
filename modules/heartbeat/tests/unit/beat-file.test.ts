import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readBeat } from '../../beat-file.js'

let folder = ''
let path = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'enigma-heartbeat-'))
  path = join(folder, 'heartbeat.json')
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

function write(beat: unknown, secondsAgo = 0): void {
  writeFileSync(path, typeof beat === 'string' ? beat : JSON.stringify(beat))
  const time = Date.now() / 1000 - secondsAgo
  utimesSync(path, time, time)
}

/** Above what any system gives out. */
const deadProcess = 2 ** 30

test('a fresh beat of a living process is running, one older than two intervals is stale', async () => {
  write({ pid: process.pid, interval: 30_000 }, 59)
  expect(await readBeat(path)).toMatchObject({ pulse: 'running', age: 59 })
  write({ pid: process.pid, interval: 30_000 }, 62)
  expect(await readBeat(path)).toMatchObject({ pulse: 'stale', age: 62 })
})

test('a process that is gone does not beat, however fresh its file', async () => {
  write({ pid: deadProcess, interval: 30_000 })
  expect((await readBeat(path)).pulse).toBe('stopped')
})

test('no file is missing', async () => {
  expect(await readBeat(path)).toEqual({ pulse: 'missing', path })
})

test.each(['', 'not json', 'null', '[]', '7', '{"pid":1}', '{"pid":-1,"interval":5}', '{"pid":"1","interval":5}'])(
  '%j is damaged, not a crash',
  async (text) => {
    write(text)
    expect((await readBeat(path)).pulse).toBe('damaged')
  },
)
