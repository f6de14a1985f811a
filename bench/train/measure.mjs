/**
 * The loop that times our training step, the same as in pytorch.py: first the counters (loss on the fixed batch, and after
 * `updatesBeforeTiming` updates), then the timed steps. The process of the sample prints what this returns as its last line.
 */
import { readFileSync } from 'node:fs'
import { resourceUsage } from 'node:process'
import { parseArgs } from 'node:util'
import { optim } from '@enigma/nn'
import { median } from '../harness/statistics.mjs'

const settings = JSON.parse(readFileSync(new URL('cases.json', import.meta.url), 'utf8'))

/** What `--case <name> --threads <n> [--steps <n>]` asks for: the case of cases.json with `optimizer`, `threads` and `steps`. */
export function requestedCase(args = process.argv.slice(2)) {
  const { values } = parseArgs({
    args,
    options: { case: { type: 'string' }, threads: { type: 'string' }, steps: { type: 'string' } },
  })
  const found = settings.cases[values.case]
  return {
    ...found,
    optimizer: settings.optimizer,
    threads: Number(values.threads ?? 2),
    steps: Number(values.steps ?? found.steps),
  }
}

/** Our optimizer with the settings of cases.json. */
export function adamwOf({ learningRate: lr, beta1, beta2, epsilon: eps, weightDecay }) {
  return optim.adamw({ lr, betas: [beta1, beta2], eps, weightDecay })
}

/** Milliseconds of processor time of this process since it began, all threads. */
function cpuMilliseconds() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** Times `step`, one whole update on `items` tokens or images that resolves to the loss before it. */
export async function measureTraining({ items, steps }, step) {
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
    perSecond: (items / msPerStep) * 1000,
    msPerStep,
    cpuMsPerStep,
    loss: losses[0],
    trainedLoss: losses.at(-1),
    cpuMs: cpuMilliseconds(),
    rssMb: resourceUsage().maxRSS / 1024,
  }
}
