// A convolutional network that tells clothes (or digits) apart: node fashion-mnist.mjs <folder with the four files> [epochs] [examples]
import {
  DataLoader,
  losses,
  metrics,
  nn,
  optim,
  progressBar,
  readIdx,
  saveWeights,
  subset,
  tensorDataset,
  fit as train,
} from '@enigma/nn'

const [folder, epochs = '4', examples = '60000'] = process.argv.slice(2)

const read = async (part) => {
  const images = await readIdx(`${folder}/${part}-images-idx3-ubyte.gz`)
  const labels = await readIdx(`${folder}/${part}-labels-idx1-ubyte.gz`)
  const x = { dtype: 'f32', shape: [images.shape[0], 1, 28, 28], data: Float32Array.from(images.data, (pixel) => pixel / 255) }
  const y = { dtype: 'i64', shape: labels.shape, data: BigInt64Array.from(labels.data, BigInt) }
  return tensorDataset({ x, y })
}

const net = new nn.Sequential(
  new nn.Conv2d(1, 32, 3, { padding: 1, seed: 1 }),
  new nn.ReLU(),
  new nn.MaxPool2d(2),
  new nn.Conv2d(32, 64, 3, { padding: 1, seed: 2 }),
  new nn.ReLU(),
  new nn.MaxPool2d(2),
  new nn.Flatten(),
  new nn.Dropout(0.25),
  new nn.Linear(64 * 7 * 7, 128, { seed: 3 }),
  new nn.ReLU(),
  new nn.Linear(128, 10, { seed: 4 }),
)
const { epochs: history } = await train(net, {
  train: new DataLoader(subset(await read('train'), 0, Number(examples)), { batchSize: 128, shuffle: true, dropLast: true }),
  valid: new DataLoader(await read('t10k'), { batchSize: 500 }),
  epochs: Number(epochs),
  loss: losses.crossEntropy,
  metrics: { accuracy: metrics.accuracy },
  optimizer: optim.adamw({ lr: 2e-3 }),
  schedule: optim.schedules.cosine,
  callbacks: [progressBar()],
})
await saveWeights(net, 'clothes.safetensors')
console.log(`Test accuracy ${(100 * history.at(-1).valid.metrics.accuracy).toFixed(2)} %`)
