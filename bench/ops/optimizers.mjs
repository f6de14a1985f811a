/**
 * One sample of an optimizer's update of the 26 M parameters of the training suite's larger model, or the same by PyTorch in
 * optimizers.py:
 *
 *   optimizers.mjs --optimizer adamw|sgd|muon --threads 2 [--updates n] [--tiny]
 *
 * prints `{ msPerUpdate, size, cpuMs }`; `size` is the mean magnitude of the weights at the end, the counter of correctness.
 */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { optim } from '@enigma/nn'
import { KernelWorkers, SharedArena } from '@enigma/tensor'
import { median } from '../harness/statistics.mjs'

const { cases } = JSON.parse(readFileSync(new URL('../train/cases.json', import.meta.url), 'utf8'))

/** Shapes of a Llama's weights; the embedding comes first. */
function shapesOf({ vocab, dim, layers, heads, kvHeads, hidden }) {
  const kv = (dim / heads) * kvHeads
  const layer = [[dim], [dim, dim], [kv, dim], [kv, dim], [dim, dim], [dim], [hidden, dim], [hidden, dim], [dim, hidden]]
  return [[vocab, dim], ...Array(layers).fill(layer).flat(), [dim]]
}

/** The number `index` of a tensor: of [-scale, scale), the same in optimizers.py. */
const numberAt = (index, scale) => (Math.imul(index, 2654435761) / 2 ** 31) * scale

/** What Muon is for goes to it, the rest to AdamW. */
const rules = {
  adamw: () => [[optim.adamw({ decayVectors: true }), () => true]],
  sgd: () => [[optim.sgd({ lr: 0.01, momentum: 0.9 }), () => true]],
  muon: () => [
    [optim.muon(), ({ parameter }, index) => parameter.shape.length === 2 && index > 0],
    [optim.adamw({ decayVectors: true }), ({ parameter }, index) => parameter.shape.length < 2 || index === 0],
  ],
}

/** Milliseconds of one update, and the mean magnitude of the weights after `updates` and two more. */
export async function measureOptimizer({ optimizer, threads, updates = 10, tiny = false }) {
  const shapes = shapesOf(cases[tiny ? 'train-tiny' : 'train-27m'].config)
  const groups = rules[optimizer]()
  const arena = new SharedArena()
  const workers = new KernelWorkers({ workers: threads })
  const filled = (shape, offset, scale) => {
    const made = arena.allocate('f32', shape)
    for (let i = 0; i < made.data.length; i++) made.data[i] = numberAt(i + offset, scale)
    return made
  }
  const slots = shapes.map((shape, index) => ({ name: `${index}`, parameter: { shape }, weight: filled(shape, index, 0.1) }))
  for (const [index, slot] of slots.entries()) {
    const [rule] = groups.find(([, takes]) => takes(slot, index))
    const state = Object.entries(rule.state(shapes[index], slot.name))
    slot.gradient = filled(shapes[index], index + 7, 0.01)
    slot.state = Object.fromEntries(state.map(([name, shape]) => [name, arena.allocate('f32', shape)]))
  }
  const update = async (step) => {
    for (const [rule, takes] of groups)
      await rule.update(slots.filter(takes), {
        workers,
        learningRate: rule.lr,
        step,
        gradientScale: 1,
        session: { threads, spin: true },
      })
  }
  const walls = []
  for (let step = 1; step <= updates + 2; step++) {
    const begun = performance.now()
    await update(step)
    if (step > 2) walls.push(performance.now() - begun)
  }
  for (const [rule] of groups) rule.close?.(workers)
  await workers.close()
  let [sum, count] = [0, 0]
  for (const { weight } of slots) {
    for (const value of weight.data) sum += Math.abs(value)
    count += weight.data.length
  }
  return { msPerUpdate: median(walls), size: sum / count }
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const { values } = parseArgs({
    options: {
      optimizer: { type: 'string' },
      threads: { type: 'string', default: '2' },
      updates: { type: 'string', default: '10' },
      tiny: { type: 'boolean', default: false },
    },
  })
  const result = await measureOptimizer({ ...values, threads: Number(values.threads), updates: Number(values.updates) })
  const { user, system } = process.cpuUsage()
  console.log(JSON.stringify({ ...result, cpuMs: (user + system) / 1000 }))
}
