// A program that starts a training, writes the training process's id at its first step, and waits to be killed.

import { ModuleManager } from '@enigma/kernel'
import type { TrainingService } from '../types.js'

const [module, data, out] = process.argv.slice(2) as [string, string, string]
const manager = await ModuleManager.open({ modules: [module], hardware: { gpus: [] } })
await manager.load('training')
const job = manager.getInterface<TrainingService>('training').train({
  data: [data],
  out,
  steps: 100_000,
  size: 'nano',
  batch: 2,
  vocabSize: 300,
  settings: { sequence: 16, reportEvery: 1, sampleEvery: 0, threads: 1, spin: false },
})
for await (const report of job) if (report.step === 1) process.stdout.write(`${job.status.pid}\n`)
