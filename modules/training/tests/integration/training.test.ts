import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { ModuleManager } from '@enigma/kernel'
import { findModels, lockHolder, type TrainEvent } from '@enigma/lm'
import { DataLoader, fit, losses, nn, optim, tensorDataset } from '@enigma/nn'
import { tensor } from '@enigma/tensor'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { JobList } from '../../job-list.js'
import type { TrainingJobView, TrainingService } from '../../types.js'

const module = join(import.meta.dirname, '../../..')
let place: string
let data: string

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'enigma-training-'))
  data = join(place, 'text.txt')
  const line = (n: number) => `Once upon a time hare number ${n} said to the tortoise: let us run ${n * 7} miles.\n`
  await writeFile(data, Array.from({ length: 400 }, (_, n) => line(n)).join(''))
})

afterAll(() => rm(place, { recursive: true, force: true }))

const small = {
  size: 'nano',
  batch: 2,
  vocabSize: 300,
  settings: { sequence: 16, reportEvery: 1, sampleEvery: 0, threads: 1, spin: false },
}

async function open() {
  const manager = await ModuleManager.open({ modules: [module], hardware: { gpus: [] } })
  await manager.load('training', { nice: 1 })
  return { manager, training: manager.getInterface<TrainingService>('training') }
}

/** Resolves with the first report. */
async function firstReport(job: TrainingJobView): Promise<void> {
  for await (const _ of job) return
}

const checkpoints = async (out: string) => (await readdir(join(out, 'trainer'))).filter((name) => name.startsWith('checkpoint-'))

test('a job trains in a process of its own, tells of each step and leaves a model', async () => {
  const { manager, training } = await open()
  await using _ = manager
  const out = join(place, 'five')
  const job = training.train({ data: [data], out, steps: 5, ...small })
  expect(job.status).toMatchObject({ id: 'training-1', state: 'running', out })
  expect(job.status.pid).not.toBe(process.pid)
  const events: TrainEvent[] = []
  const listening = (async () => {
    for await (const event of job.events()) events.push(event)
  })()
  const steps: number[] = []
  for await (const report of job) steps.push(report.step)
  await listening
  const result = await job.done
  expect(steps).toEqual([1, 2, 3, 4, 5])
  expect(result).toMatchObject({ steps: 5, folder: out, finishReason: 'done', loss: expect.any(Number) })
  expect(events.map(({ type }) => type)).toEqual(expect.arrayContaining(['warning', 'phase', 'start', 'report', 'checkpoint']))
  expect(await findModels([out])).toMatchObject([{ name: 'five', status: 'ok', preset: 'nano' }])
  const names = manager.events.recent('training.*').map(({ name }) => name)
  expect(names[0]).toBe('training.event')
  expect(names.filter((name) => name === 'training.report')).toHaveLength(5)
  expect(names.at(-1)).toBe('training.finished')
  expect(await manager.runCommand('training', 'status')).toMatchObject([
    { id: 'training-1', state: 'done', step: 5, pid: undefined },
  ])
})

test('epochs of a job, and of any network that is fitted, are events of the bus', async () => {
  const { manager, training } = await open()
  await using _ = manager
  const few = join(place, 'few.txt')
  await writeFile(few, 'The hare and the tortoise ran a race. '.repeat(12))
  const told: [string, number, string][] = []
  for (const name of ['EpochStart', 'EpochEnd'] as const)
    manager.events.on(name, (event) => void told.push([name, event.epoch, 'loss' in event ? typeof event.loss : 'none']))
  await training.train({ data: [few], out: join(place, 'epochs'), epochs: 2, ...small }).done
  expect(told.slice(0, 3)).toEqual([
    ['EpochStart', 0, 'none'],
    ['EpochEnd', 0, 'number'],
    ['EpochStart', 1, 'none'],
  ])
  expect(told.at(-1)?.[0]).toBe('EpochEnd')

  told.length = 0
  const telemetry: number[] = []
  manager.events.on('Telemetry', ({ data }) => void telemetry.push(data.step!))
  const numbers = tensorDataset({ x: tensor([1, 2, 3, 4], [4, 1]), y: tensor([2, 4, 6, 8], [4, 1]) })
  await fit(new nn.Linear(1, 1), {
    train: new DataLoader(numbers, { batchSize: 2 }),
    epochs: 2,
    loss: losses.mse,
    optimizer: optim.sgd({ lr: 0.01 }),
    callbacks: [training.callbacks()],
    threads: 1,
  })
  expect(told.map(([name, epoch]) => `${name} ${epoch}`)).toEqual(['EpochStart 0', 'EpochEnd 0', 'EpochStart 1', 'EpochEnd 1'])
  expect(telemetry).toEqual([1, 2, 3, 4])
})

test('a stopped job leaves a checkpoint, and resume goes on from it', async () => {
  const { manager, training } = await open()
  await using _ = manager
  const out = join(place, 'stopped')
  const job = training.train({ data: [data], out, steps: 100_000, ...small })
  await firstReport(job)
  await job.stop()
  const { finishReason, steps } = await job.done
  expect(finishReason).toBe('stopped')
  expect(await checkpoints(out)).toHaveLength(1)
  expect(await lockHolder(out)).toBeNull()
  const again = training.train({ data: [data], out, resume: true, steps: steps + 2, settings: { reportEvery: 1, spin: false } })
  const events: TrainEvent[] = []
  for await (const event of again.events()) events.push(event)
  expect(await again.done).toMatchObject({ steps: steps + 2, finishReason: 'done' })
  expect(events.find(({ type }) => type === 'start')).toMatchObject({ step: steps, resumed: true })
})

test('a signal stops a job as stop does', async () => {
  const { manager, training } = await open()
  await using _ = manager
  const controller = new AbortController()
  const job = training.train({ data: [data], out: join(place, 'signal'), steps: 100_000, ...small, signal: controller.signal })
  await firstReport(job)
  controller.abort()
  expect((await job.done).finishReason).toBe('stopped')
})

test('unloading the module stops its jobs, each with a checkpoint', async () => {
  const { manager, training } = await open()
  await using _ = manager
  const out = join(place, 'unloaded')
  const job = training.train({ data: [data], out, steps: 100_000, ...small })
  await firstReport(job)
  await manager.unload('training')
  expect((await job.done).finishReason).toBe('stopped')
  expect(await checkpoints(out)).toHaveLength(1)
})

test('a process that dies rejects its job with its last words and its code, and nothing else happens', async () => {
  const failed: unknown[] = []
  const { events } = await ModuleManager.open({ modules: [], hardware: { gpus: [] } })
  events.on('training.failed', (event) => void failed.push(event))
  const jobs = new JobList({ nice: 0 }, events, new URL('../crash.test.fixture.js', import.meta.url))
  const job = jobs.train({ data: [data], out: 'nowhere' })
  await expect(job.done).rejects.toMatchObject({
    code: 'TRAINING_CRASHED',
    message: expect.stringMatching(/exit code 3: fatal: the disk is on fire\. .*resume: true/),
  })
  expect(failed).toEqual([{ id: 'training-1', message: expect.stringContaining('on fire') }])
  expect(jobs.jobs()).toMatchObject([{ state: 'failed', steps: 9, pid: undefined }])
})

test('a process that is killed rejects its job with the signal; the module works on', async () => {
  const { manager, training } = await open()
  await using _ = manager
  const job = training.train({ data: [data], out: join(place, 'killed'), steps: 100_000, ...small })
  await firstReport(job)
  process.kill(job.status.pid!, 'SIGKILL')
  await expect(job.done).rejects.toThrow(/ended with signal SIGKILL/)
  expect(manager.getModule('training').state).toBe('active')
})

test('a job whose parent is killed ends with a checkpoint by itself', async () => {
  const out = join(place, 'orphan')
  const script = fileURLToPath(new URL('../parent.test.fixture.js', import.meta.url))
  const parent = spawn(process.execPath, [script, module, data, out], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [pid] = (await once(parent.stdout, 'data')) as [Buffer]
  parent.kill('SIGKILL')
  while (isRunning(Number(pid))) await setTimeout(20)
  expect(await checkpoints(out)).toHaveLength(1)
  expect(await lockHolder(out)).toBeNull()
})

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test('what the trainer refuses arrives as its own error', async () => {
  const { manager, training } = await open()
  await using _ = manager
  const missing = training.train({ data: [join(place, 'no.txt')], out: join(place, 'x') })
  await expect(missing.done).rejects.toMatchObject({ name: 'LmError', code: 'FILE_NOT_FOUND' })
  const exists = training.train({ data: [data], out: join(place, 'five'), steps: 5, ...small })
  await expect(exists.done).rejects.toMatchObject({ name: 'LmError', code: 'MODEL_EXISTS' })
  expect(() => training.job('training-9')).toThrow("No training job 'training-9'. There is: training-1, training-2.")
})
