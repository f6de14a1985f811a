// One sample of our side of the training suite for images: a child process that prints one JSON line.
import { Layer, losses, nn } from '@enigma/nn'
import { goldenParameter, goldenSeeds, goldenTokens } from '../../packages/lm/dist/golden/generate.js'
import { adamwOf, measureTraining, requestedCase } from './measure.mjs'

/** Convolution and batch normalisation. */
const unit = (inputs, outputs, kernel, stride) =>
  new nn.Sequential(
    new nn.Conv2d(inputs, outputs, kernel, { stride, padding: kernel >> 1, bias: false, seed: null }),
    new nn.BatchNorm2d(outputs),
  )

class Block extends Layer {
  constructor(inputs, outputs, stride) {
    super()
    this.a = unit(inputs, outputs, 3, stride)
    this.b = unit(outputs, outputs, 3, 1)
    if (stride !== 1 || inputs !== outputs) this.shortcut = unit(inputs, outputs, 1, stride)
  }

  forward(x) {
    const h = this.b.forward(this.a.forward(x).relu())
    return h.add(this.shortcut?.forward(x) ?? x).relu()
  }
}

/** He et al. 2015 with three blocks: a stem of 3×3, blocks that halve the image from the second on, the mean, a linear layer. */
class ResNet8 extends Layer {
  constructor(channels, classes) {
    super()
    this.stem = unit(3, channels[0], 3, 1)
    this.blocks = channels.map((outputs, index) => new Block(channels[Math.max(0, index - 1)], outputs, index === 0 ? 1 : 2))
    this.head = new nn.Linear(channels.at(-1), classes, { seed: null })
  }

  forward(x) {
    const features = this.blocks.reduce((y, block) => block.forward(y), this.stem.forward(x).relu())
    return this.head.forward(features.mean([2, 3]))
  }
}

/** The hashed numbers of the golden models, scaled as He et al. do: [-√6/√fan, √6/√fan] for weights, about 1 for norms, about 0 for biases. */
function initialize(net) {
  const parameters = [...net.namedParameters()].sort(([a], [b]) => (a < b ? -1 : 1))
  for (const [ordinal, [name, { shape, data }]] of parameters.entries()) {
    const values = goldenParameter(ordinal, shape)
    const scale = Math.sqrt(6 / (data.length / shape[0])) / 0.035
    data.set(values.map((value) => (shape.length > 1 ? value * scale : name.endsWith('bias') ? value - 1 : value)))
  }
}

const { batch, size, channels, classes, optimizer, threads, steps } = requestedCase()
const net = new ResNet8(channels, classes)
initialize(net)
const x = { dtype: 'f32', shape: [batch, 3, size, size], data: goldenParameter(goldenSeeds.batch, [batch * 3 * size, size]) }
const labels = goldenTokens(goldenSeeds.prompt, batch, 1, classes)
const y = { dtype: 'i64', shape: [batch], data: BigInt64Array.from(labels, BigInt) }
const step = await net.compileStep({
  loss: losses.crossEntropy,
  optimizer: adamwOf(optimizer),
  clipNorm: optimizer.clipNorm,
  threads,
})
const result = await measureTraining({ items: batch, steps }, async () => (await step({ x, y })).loss)
console.log(JSON.stringify(result))
await step.close()
