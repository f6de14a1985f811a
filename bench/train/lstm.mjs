// One sample of our side of the training suite for sequences of numbers: a child process that prints one JSON line.
import { Layer, losses, nn } from '@enigma/nn'
import { goldenParameter, goldenSeeds, goldenTokens } from '../../packages/lm/dist/golden/generate.js'
import { adamwOf, measureTraining, requestedCase } from './measure.mjs'

/** An LSTM over [time, batch, features] and a linear layer on its last step. */
class Classifier extends Layer {
  constructor(features, hidden, classes) {
    super()
    this.lstm = new nn.LSTM(features, hidden, { seed: null })
    this.head = new nn.Linear(hidden, classes, { seed: null })
  }

  forward(x) {
    return this.head.forward(this.lstm.forwardWithState(x).h.squeeze(0))
  }
}

const { batch, length, features, hidden, classes, optimizer, threads, steps } = requestedCase()
const net = new Classifier(features, hidden, classes)
// The hashed numbers of the golden models, scaled to PyTorch's ±1/√hidden.
for (const [ordinal, [, { shape, data }]] of [...net.namedParameters()].sort(([a], [b]) => (a < b ? -1 : 1)).entries()) {
  const values = goldenParameter(ordinal, shape)
  data.set(shape.length > 1 ? values.map((value) => value / Math.sqrt(hidden) / 0.035) : values.map((value) => value - 1))
}
const numbers = goldenParameter(goldenSeeds.batch, [length * batch, features])
const x = { dtype: 'f32', shape: [length, batch, features], data: numbers.map((value) => value / 0.035) }
const labels = goldenTokens(goldenSeeds.prompt, batch, 1, classes)
const y = { dtype: 'i64', shape: [batch], data: BigInt64Array.from(labels, BigInt) }
const step = await net.compileStep({
  loss: losses.crossEntropy,
  optimizer: adamwOf(optimizer),
  clipNorm: optimizer.clipNorm,
  threads,
})
const result = await measureTraining({ items: batch * length, steps }, async () => (await step({ x, y })).loss)
console.log(JSON.stringify(result))
await step.close()
