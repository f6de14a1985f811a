import { tensor } from '@enigma/tensor'
import { DataLoader, type FitOptions, losses, metrics, nn, optim, tensorDataset } from '../index.js'
import { Random } from '../init/index.js'

/** Points around two centres; the label says which. */
function points(count: number, seed: number) {
  const random = new Random(seed)
  const labels = Array.from({ length: count }, () => (random.uniform() < 0.5 ? 0 : 1))
  const xs = labels.flatMap((label) => [random.normal() * 0.5 + label * 2 - 1, random.normal() * 0.5])
  return tensorDataset({ x: tensor(xs, [count, 2]), y: tensor(labels, [count], 'i64') })
}

/** With dropout and running means: whatever a checkpoint must keep. */
export const network = () =>
  new nn.Sequential(
    new nn.Linear(2, 8, { seed: 1 }),
    new nn.BatchNorm1d(8),
    new nn.Tanh(),
    new nn.Dropout(0.1),
    new nn.Linear(8, 2, { seed: 2 }),
  )

/** Without anything that depends on the rest of a batch. */
export const plainNetwork = () =>
  new nn.Sequential(new nn.Linear(2, 8, { seed: 1 }), new nn.Tanh(), new nn.Linear(8, 2, { seed: 2 }))

/** Three epochs of four updates. */
export const options = (overrides: Partial<FitOptions> = {}): FitOptions => ({
  train: new DataLoader(points(100, 1), { batchSize: 32, shuffle: true }),
  valid: new DataLoader(points(50, 2), { batchSize: 50 }),
  epochs: 3,
  loss: losses.crossEntropy,
  optimizer: optim.adamw({ lr: 0.05 }),
  metrics: { accuracy: metrics.accuracy },
  threads: 1,
  spin: false,
  ...overrides,
})
