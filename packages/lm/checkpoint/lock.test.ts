import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { LmError } from '../errors.js'
import { lockFolder, lockHolder } from './lock.js'

let root: string
let folder: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'enigma-lock-'))
})
beforeEach(async () => {
  folder = await mkdtemp(join(root, 'run-'))
})
afterAll(() => rm(root, { recursive: true }))

const path = () => join(folder, 'enigma.lock')
const held = (change: object) =>
  writeFile(
    path(),
    JSON.stringify({ pid: process.pid, host: hostname(), purpose: 'chat', since: 'noon', started: null, token: 't', ...change }),
  )

async function refusal(): Promise<string> {
  const error = await lockFolder(folder, 'training').then(
    () => null,
    (error: unknown) => error,
  )
  if (!(error instanceof LmError) || error.code !== 'FOLDER_LOCKED') throw new Error(`expected FOLDER_LOCKED, got ${error}`)
  return error.message
}

/** The pid of a process that has ended. */
async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['-e', ''])
  await new Promise((resolve) => child.on('close', resolve))
  return child.pid!
}

describe('a locked folder', () => {
  it('names its holder and what to do, until it is released', async () => {
    const lock = await lockFolder(folder, 'training')
    expect(await refusal()).toBe(
      `${folder} is in use for training by process ${process.pid} since ${lock.holder.since}. Wait for it or stop it, or use another folder`,
    )
    expect(await lockHolder(folder)).toMatchObject({ pid: process.pid, purpose: 'training' })
    await lock.release()
    expect(await lockHolder(folder)).toBeNull()
    expect(await readdir(folder)).toEqual([])
    await using _ = await lockFolder(folder, 'training')
  })

  it('of another machine is not judged from here: the message says which file to delete', async () => {
    await held({ host: 'elsewhere' })
    expect(await refusal()).toContain(
      `by process ${process.pid} on elsewhere since noon. If it no longer runs there, delete ${path()}`,
    )
  })

  it('of a dead process is taken over, also when another process has its pid now', async () => {
    await held({ pid: await deadPid() })
    expect(await lockHolder(folder)).toBeNull()
    await (await lockFolder(folder, 'training')).release()
    if (process.platform !== 'linux') return
    await held({ started: '1' })
    await (await lockFolder(folder, 'training')).release()
  })

  it('of a process killed before it wrote its name is taken over', async () => {
    await writeFile(path(), '')
    await utimes(path(), 1, 1)
    await using lock = await lockFolder(folder, 'training')
    expect(lock.holder.purpose).toBe('training')
  })

  it('goes to exactly one of many that find a dead holder at once', async () => {
    for (let round = 0; round < 5; round++) {
      await held({ pid: await deadPid() })
      const tries = await Promise.allSettled(Array.from({ length: 8 }, (_, index) => lockFolder(folder, `try ${index}`)))
      const winners = tries.filter((result) => result.status === 'fulfilled')
      expect(winners.length).toBe(1)
      await winners[0]?.value.release()
    }
  })

  it('is not released by a holder that lost it', async () => {
    const lock = await lockFolder(folder, 'training')
    await held({ purpose: 'another' })
    await lock.release()
    expect(JSON.parse(await readFile(path(), 'utf8')).purpose).toBe('another')
  })
})
