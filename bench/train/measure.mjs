/**
 * The loop that times our training step, the same as in pytorch.py: first the counters (loss on the fixed batch, and after
 * `updatesBeforeTiming` updates), then the timed steps. The process of the sample prints what this returns as its last line.
 */
import { readFileSync } from 'node:fs'
import { resourceUsage } from 'node:process'
import { parseArgs } from 'node:util'
import { goldenParameters, goldenSeeds, goldenTokens, inputsAndTargets } from '../../packages/lm/dist/golden/generate.js'
import { median } from '../harness/statistics.mjs'

const settings = JSON.parse(readFileSync(new URL('cases.json', import.meta.url), 'utf8'))

/**
 * What `--case <name> --threads <n> [--steps <n>]` asks for: `{ config, batch, length, inputs, targets, weights, optimizer,
 * threads, steps }`; inputs and targets Int32Array [batch, length], weights Float32Array by Hugging Face name, [out, in].
 */
export function trainingCase(args = process.argv.slice(2)) {
  const { values } = parseArgs({
    args,
    options: { case: { type: 'string' }, threads: { type: 'string' }, steps: { type: 'string' } },
  })
  const { config, batch, length, steps } = settings.cases[values.case]
  return {
    config,
    batch,
    length,
    ...inputsAndTargets(goldenTokens(goldenSeeds.batch, batch, length + 1, config.vocab), length),
    weights: goldenParameters(config),
    optimizer: settings.optimizer,
    threads: Number(values.threads ?? 2),
    steps: Number(values.steps ?? steps),
  }
}

/** Milliseconds of processor time of this process since it began, all threads. */
function cpuMilliseconds() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** Times `step`, one whole update that resolves to the loss before it. */
export async function measureTraining({ batch, length, steps }, step) {
  const losses = []
  for (let i = 0; i <= settings.updatesBeforeTiming; i++) losses.push(await step())
  const walls = []
  const cpu = cpuMilliseconds()
  for (let i = 0; i < steps; i++) {
    const wall = performance.now()
    await step()
    walls.push(performance.now() - wall)
  }
  // The mean: the kernel counts the time of other threads in ticks of milliseconds.
  const cpuMsPerStep = (cpuMilliseconds() - cpu) / steps
  const msPerStep = median(walls)
  return {
    tokensPerSecond: ((batch * length) / msPerStep) * 1000,
    msPerStep,
    cpuMsPerStep,
    loss: losses[0],
    trainedLoss: losses.at(-1),
    cpuMs: cpuMilliseconds(),
    rssMb: resourceUsage().maxRSS / 1024,
  }
}
