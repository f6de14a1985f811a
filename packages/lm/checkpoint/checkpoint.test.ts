import { mkdir, mkdtemp, readdir, readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type FloatTensor, readTensors, temporaryName } from '@enigma/tensor/formats'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Fault, isFault } from '../errors.js'
import { type Checkpoint, DamagedCheckpointError, loadCheckpoint } from './load-checkpoint.js'
import { type SaveCheckpointOptions, saveCheckpoint } from './save-checkpoint.js'

let root: string
let folder: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'enigma-checkpoint-'))
})
beforeEach(async () => {
  folder = await mkdtemp(join(root, 'run-'))
})
afterAll(() => rm(root, { recursive: true }))

const tensor = (...data: number[]): FloatTensor => ({ dtype: 'f32', shape: [data.length], data: Float32Array.from(data) })
const save = (step: number, options?: SaveCheckpointOptions) =>
  saveCheckpoint(
    folder,
    { step, tensors: { w: tensor(step, -0, Number.NaN) }, optimizer: { m: tensor(step / 3) }, state: { step, cursor: [1, 2] } },
    options,
  )
const trainer = () => readdir(join(folder, 'trainer')).then((names) => names.sort())

async function failure(run: Promise<unknown>): Promise<Fault> {
  const error = await run.then(
    () => null,
    (error: unknown) => error,
  )
  if (!isFault(error)) throw new Error(`expected a fault, got ${error}`)
  return error
}

async function stepOf(opening: Promise<Checkpoint>): Promise<number> {
  await using checkpoint = await opening
  expect([...(await checkpoint.tensors.read('w'))]).toEqual([checkpoint.step, -0, Number.NaN])
  expect(checkpoint.state).toEqual({ step: checkpoint.step, cursor: [1, 2] })
  return checkpoint.step
}

async function flipByte(path: string, index: number): Promise<void> {
  const bytes = await readFile(path)
  bytes[index]! ^= 4
  await writeFile(path, bytes)
}

const bothSaved = async () => {
  await save(100)
  await save(120)
}
const inNewest = (name: string) => join(folder, 'trainer', 'checkpoint-120', name)

describe('checkpoints', () => {
  it('give back weights, optimizer and state bit by bit', async () => {
    expect(await save(120)).toBe(join(folder, 'trainer', 'checkpoint-120'))
    await using checkpoint = await loadCheckpoint(folder)
    expect(checkpoint).toMatchObject({ step: 120, folder: join(folder, 'trainer', 'checkpoint-120'), rejected: [] })
    expect(await readTensors(checkpoint.tensors)).toEqual({ w: tensor(120, -0, Number.NaN) })
    expect(checkpoint.optimizer && (await readTensors(checkpoint.optimizer))).toEqual({ m: tensor(40) })
    expect(checkpoint.state).toEqual({ step: 120, cursor: [1, 2] })
  })

  it('may come without an optimizer', async () => {
    await saveCheckpoint(folder, { step: 1, tensors: {}, state: null })
    await using checkpoint = await loadCheckpoint(folder)
    expect([checkpoint.optimizer, checkpoint.state]).toEqual([null, null])
  })

  it('are kept to the last two, or as many as asked for', async () => {
    for (const step of [9, 10, 100]) await save(step)
    expect(await trainer()).toEqual(['checkpoint-10', 'checkpoint-100', 'latest.json'])
    await save(101, { keep: 1 })
    expect(await trainer()).toEqual(['checkpoint-101', 'latest.json'])
  })

  it('of a run that went on from an earlier step replace the later ones', async () => {
    for (const step of [10, 20, 30]) await save(step, { keep: 5 })
    await save(20, { keep: 5 })
    expect(await trainer()).toEqual(['checkpoint-10', 'checkpoint-20', 'latest.json'])
    expect(await stepOf(loadCheckpoint(folder))).toBe(20)
  })

  it('none yet is an error that says so', async () => {
    const error = await failure(loadCheckpoint(folder))
    expect([error.code, error.message]).toEqual(['NO_CHECKPOINT', `${folder} holds no checkpoint to resume from`])
  })
})

describe('a damaged checkpoint', () => {
  it.each(['weights.safetensors', 'optimizer.safetensors', 'state.json'])(
    'with a flipped bit in %s is refused by name, the previous one offered',
    async (name) => {
      await bothSaved()
      await flipByte(inNewest(name), 9)
      const error = await failure(loadCheckpoint(folder))
      expect(error.message).toContain(`${join('checkpoint-120', name)} does not match its hash`)
      expect(error).toBeInstanceOf(DamagedCheckpointError)
      expect((error as DamagedCheckpointError).previous).toEqual({ step: 100, folder: join(folder, 'trainer', 'checkpoint-100') })
      await using previous = await loadCheckpoint(folder, { fallback: true })
      expect(previous.step).toBe(100)
      expect(previous.rejected.map((reason) => reason.code)).toEqual(['HASH_MISMATCH'])
    },
  )

  it('is refused whatever byte of its weights is flipped', async () => {
    await save(1)
    const path = join(folder, 'trainer', 'checkpoint-1', 'weights.safetensors')
    const { length } = await readFile(path)
    for (let index = 0; index < length; index += 3) {
      await flipByte(path, index)
      expect((await failure(loadCheckpoint(folder))).code).toBe('CHECKPOINT_CORRUPT')
      await flipByte(path, index)
    }
    expect(await stepOf(loadCheckpoint(folder))).toBe(1)
  })

  it('that was cut, lengthened, or lost a file is refused by name', async () => {
    await bothSaved()
    await writeFile(inNewest('state.json'), `${await readFile(inNewest('state.json'), 'utf8')} `)
    expect((await failure(loadCheckpoint(folder))).message).toContain('state.json does not match its hash')
    await truncate(inNewest('weights.safetensors'), 20)
    expect((await failure(loadCheckpoint(folder))).message).toMatch(/weights\.safetensors is truncated: 20 of \d+ bytes/)
    await rm(inNewest('weights.safetensors'))
    expect((await failure(loadCheckpoint(folder))).message).toContain('weights.safetensors is missing')
    await writeFile(inNewest('manifest.json'), '{"format":1')
    expect((await failure(loadCheckpoint(folder))).message).toContain('manifest.json is damaged')
    await rm(inNewest('manifest.json'))
    expect((await failure(loadCheckpoint(folder))).message).toContain('manifest.json')
    expect(await stepOf(loadCheckpoint(folder, { fallback: true }))).toBe(100)
  })

  it('with no sound one beside it says to start again, also with fallback', async () => {
    await bothSaved()
    for (const step of [100, 120]) await flipByte(join(folder, 'trainer', `checkpoint-${step}`, 'state.json'), 0)
    const error = await failure(loadCheckpoint(folder, { fallback: true }))
    expect(error.message).toContain('No other checkpoint is sound')
    expect((error as DamagedCheckpointError).previous).toBeNull()
  })

  it('does not matter for latest.json: without it, or with nonsense in it, the highest step counts', async () => {
    await bothSaved()
    for (const text of ['', '{"step":7}', 'null', '{"step":"120"}']) {
      await writeFile(join(folder, 'trainer', 'latest.json'), text)
      expect(await stepOf(loadCheckpoint(folder))).toBe(120)
    }
  })
})

describe('a full disk', () => {
  it.each([
    ['ENOSPC', 'DISK_FULL', 'The disk is full'],
    ['EDQUOT', 'DISK_FULL', 'The disk quota is used up'],
    ['EIO', 'WRITE_FAILED', 'EIO'],
  ] as const)('(%s) at any write leaves the earlier checkpoint, no rest, and says so', async (code, lmCode, message) => {
    await save(100)
    let failed = 0
    for (let failing = 0; ; failing++) {
      let count = 0
      const saving = save(120, {
        write: async (handle, bytes, position) => {
          // Half of the piece still fits.
          const fits = count++ === failing ? bytes.byteLength >> 1 : bytes.byteLength
          await handle.write(bytes, 0, fits, position)
          if (fits < bytes.byteLength) throw Object.assign(new Error(`${code}: write`), { code })
        },
      })
      if (await saving.then(() => true).catch(() => false)) break
      const error = await failure(saving)
      expect(error.code).toBe(lmCode)
      expect(error.message).toContain(message)
      expect(error.message).toContain(`the earlier one in ${join(folder, 'trainer', 'checkpoint-100')} is untouched`)
      expect(await trainer()).toEqual(['checkpoint-100', 'latest.json'])
      expect(await stepOf(loadCheckpoint(folder))).toBe(100)
      failed++
    }
    expect(failed).toBeGreaterThan(5)
    expect(await stepOf(loadCheckpoint(folder))).toBe(120)
  })
})

describe('what a killed write left', () => {
  it('is removed when the folder is opened next, but not what a living process is writing', async () => {
    await save(1)
    const dead = temporaryName('checkpoint-2', 'aa').replace(`-${process.pid}-`, '-999999999-')
    const alive = temporaryName('checkpoint-3', 'bb')
    const reused = temporaryName('checkpoint-4', 'cc')
    for (const name of [dead, alive, reused]) await mkdir(join(folder, 'trainer', name))
    // The same pid, in a container that was started again.
    await utimes(join(folder, 'trainer', reused), 1, 1)
    expect(await stepOf(loadCheckpoint(folder))).toBe(1)
    expect(await trainer()).toEqual([alive, 'checkpoint-1', 'latest.json'])
  })

  it('in the middle of an exchange still counts, and the next save puts it back', async () => {
    await save(7)
    await rm(join(folder, 'trainer', 'latest.json'))
    const { rename } = await import('node:fs/promises')
    await rename(join(folder, 'trainer', 'checkpoint-7'), join(folder, 'trainer', '.checkpoint-7.replaced'))
    expect(await stepOf(loadCheckpoint(folder))).toBe(7)
    await save(8)
    expect(await trainer()).toEqual(['checkpoint-7', 'checkpoint-8', 'latest.json'])
  })
})
