import { spawn } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FloatTensor } from '@enigma/tensor/formats'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadCheckpoint } from './load-checkpoint.js'
import { openModelFolder } from './model-folder.js'
import { saveCheckpoint } from './save-checkpoint.js'

const ROUNDS = process.env.ENIGMA_SOAK ? 150 : 5

let root: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'enigma-kill-'))
})
afterAll(() => rm(root, { recursive: true }))

const url = (file: string) => JSON.stringify(new URL(file, import.meta.url).href)

const wide = (value: number): Record<string, FloatTensor> => ({
  w: { dtype: 'f32', shape: [200_000], data: new Float32Array(200_000).fill(value) },
})

/** Runs a module that prints the number of what is saved, at its start and after each save; kills it so many ms later. Returns the last printed. */
async function killedAfter(code: string, milliseconds: number): Promise<number> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
  let printed = ''
  const ended = new Promise<NodeJS.Signals | null>((resolve) => child.on('close', (_, signal) => resolve(signal)))
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (data) => {
      printed += data
      resolve()
    })
    child.on('close', () => reject(new Error('it ended before it was killed')))
  })
  await sleep(milliseconds)
  child.kill('SIGKILL')
  expect(await ended).toBe('SIGKILL')
  return Number(printed.slice(0, printed.lastIndexOf('\n')).split('\n').at(-1))
}

describe('a process killed while it saves', () => {
  it('leaves a sound checkpoint, never older than the last that it reported', async () => {
    const folder = join(root, 'run')
    await saveCheckpoint(folder, { step: 1, tensors: wide(1), optimizer: wide(1), state: { step: 1 } })
    let step = 1
    for (let round = 0; round < ROUNDS; round++) {
      // Each process goes on from the last checkpoint, and first saves the step again that is already there.
      const code = `
        import { saveCheckpoint } from ${url('./save-checkpoint.js')}
        process.stdout.write('${step}\\n')
        for (let step = ${step}; ; step++) {
          const data = new Float32Array(200_000).fill(step)
          const tensors = { w: { dtype: 'f32', shape: [200_000], data } }
          await saveCheckpoint(${JSON.stringify(folder)}, { step, tensors, optimizer: tensors, state: { step } })
          process.stdout.write(step + '\\n')
        }`
      const reported = await killedAfter(code, Math.random() * 60)
      await using checkpoint = await loadCheckpoint(folder)
      expect(checkpoint.step).toBeGreaterThanOrEqual(reported)
      expect(checkpoint.state).toEqual({ step: checkpoint.step })
      for (const reader of [checkpoint.tensors, checkpoint.optimizer!]) {
        expect((await reader.read('w')).every((value) => value === checkpoint.step)).toBe(true)
      }
      const names = await readdir(join(folder, 'trainer'))
      expect(names.filter((name) => name.endsWith('.tmp'))).toEqual([])
      step = checkpoint.step
    }
  })

  it('leaves a model folder whose files belong together', async () => {
    const folder = join(root, 'model')
    const code = `
      import { createConfig } from ${url('../config.js')}
      import { parameterSpecs } from ${url('../parameters.js')}
      import { saveModel } from ${url('./save-model.js')}
      for (let round = 1; ; round++) {
        const config = createConfig({ vocabSize: 1000 + round, dim: 32, layers: 1, heads: 2, context: 64 })
        const tensors = Object.fromEntries(parameterSpecs(config).map(({ name, shape }) => {
          const data = new Float32Array(shape.reduce((a, b) => a * b)).fill(round)
          return [name, { dtype: 'f32', shape, data }]
        }))
        await saveModel(${JSON.stringify(folder)}, { config, tensors, tokenizerJson: JSON.stringify({ round }), card: '# ' + round })
        process.stdout.write(round + '\\n')
      }`
    for (let round = 0; round < ROUNDS; round++) {
      const reported = await killedAfter(code, Math.random() * 40)
      await using model = await openModelFolder(folder)
      const saved = model.config.vocabSize - 1000
      expect(saved).toBeGreaterThanOrEqual(reported)
      expect((await model.tensors.read('model.norm.weight')).every((value) => value === saved)).toBe(true)
      expect((await readdir(folder)).sort()).toEqual([
        'README.md',
        'config.json',
        'enigma.json',
        'model.safetensors',
        'tokenizer.json',
      ])
    }
  })
})
