// One sample of speed: forward and backward of one layer, as one JSON line.
import { parseArgs } from 'node:util'
import { init, losses, optim } from '../../packages/nn/dist/index.js'
import { median } from '../harness/statistics.mjs'
import { MixingLayer, model } from './model.mjs'

const { values } = parseArgs({
  options: Object.fromEntries(['kind', 'length', 'tokens', 'threads', 'repeats'].map((name) => [name, { type: 'string' }])),
})
const [length, tokens, threads, repeats] = ['length', 'tokens', 'threads', 'repeats'].map((name) => Number(values[name]))
const shape = [tokens / length, length, model.dim]
const random = new init.Random(1)
const noise = () => ({ dtype: 'f32', shape, data: Float32Array.from({ length: tokens * model.dim }, () => random.normal()) })
const batch = { x: noise(), y: noise() }

const net = new MixingLayer(values.kind, 1)
const compiled = await net.compileStep({ loss: losses.mse, optimizer: optim.adamw(), threads })
const step = await compiled.prepare(batch)
const fill = () => {
  for (const name of ['x', 'y']) step.inputs[name].data.set(batch[name].data)
}
const { loss, gradients } = await step.gradients(fill)
const norm = Math.sqrt(Object.values(gradients).reduce((sum, gradient) => sum + gradient.reduce((s, g) => s + g * g, 0), 0))
const walls = []
for (let i = 0; i < repeats; i++) {
  const start = performance.now()
  await step.gradients(() => undefined)
  walls.push(performance.now() - start)
}
await compiled.close()
const { user, system } = process.cpuUsage()
console.log(
  JSON.stringify({
    tokensPerSecond: (tokens / median(walls)) * 1000,
    msPerRun: median(walls),
    loss,
    gradNorm: norm,
    parameters: net.parameterCount(),
    cpuMs: (user + system) / 1000,
    rssMb: process.resourceUsage().maxRSS / 1024,
  }),
)
