// One sample: a child process that trains or rebuilds programs and prints resident memory as one JSON line. Needs --expose-gc.
import { resourceUsage } from 'node:process'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { createConfig, LlamaForCausalLM, languageModelingStep } from '@enigma/lm'
import { optim } from '@enigma/nn'
import { goldenParameters, goldenSeeds, goldenTokens, inputsAndTargets } from '../../packages/lm/dist/golden/generate.js'
import { requestedCase } from '../train/measure.mjs'

const { values } = parseArgs({
  options: {
    work: { type: 'string' },
    case: { type: 'string' },
    count: { type: 'string' },
    recompute: { type: 'boolean', default: false },
  },
})
const count = Number(values.count)
const threads = 2
const { config, batch, length } = requestedCase(['--case', values.case])
const { inputs, targets } = inputsAndTargets(goldenTokens(goldenSeeds.batch, batch, length + 1, config.vocab), length)
const weights = goldenParameters(config)
const { vocab: vocabSize, normEps: rmsNormEps, ...sizes } = config
const model = new LlamaForCausalLM(createConfig({ ...sizes, vocabSize, rmsNormEps, context: length }), {
  recompute: values.recompute,
})
for (const [name, parameter] of model.namedParameters()) parameter.data.set(weights.get(name))

const prepare = () => languageModelingStep(model, { optimizer: optim.adamw({ lr: 3e-4 }), batch, length, threads })

async function advance(step) {
  const { loss } = await step.step(() => {
    step.set('tokens', inputs)
    step.set('targets', targets)
  })
  return loss
}

/** Bytes in main memory, when nothing is left to collect. */
async function resident() {
  for (let i = 0; i < 3; i++) {
    await nextTurn()
    globalThis.gc()
  }
  return process.memoryUsage.rss()
}

/** Repeats something `count` times and says what each call gave first, and how memory stands at 11 equally distant times. */
async function repeat(cycle) {
  const first = await cycle()
  const points = []
  for (let i = 1; i <= count; i++) {
    if ((i - 1) % Math.ceil(count / 10) === 0) points.push(await resident())
    await cycle()
  }
  points.push(await resident())
  return { first, points }
}

const works = {
  /** Some updates; the peak is what counts. */
  async train() {
    const step = await prepare()
    const start = performance.now()
    const result = await repeat(() => advance(step))
    const msPerStep = (performance.now() - start) / (count + 1)
    await step.close()
    return { ...result, msPerStep }
  },
  /** A program traced, differentiated, compiled, run once and released, again and again. */
  rebuild: () =>
    repeat(async () => {
      const step = await prepare()
      const loss = await advance(step)
      await step.close()
      return loss
    }),
}

const { first: loss, ...result } = await works[values.work]()
console.log(JSON.stringify({ loss, ...result, peakMb: resourceUsage().maxRSS / 1024 }))
