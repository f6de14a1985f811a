import type { Tensor } from '@enigma/tensor'
import { expect, it } from 'vitest'
import { NnError } from './errors.js'
import { DataLoader, losses, nn, optim, tensorDataset, traceNetwork } from './index.js'

/** What people who know PyTorch write in JavaScript. */
const positional: readonly [what: string, make: (value: never) => unknown][] = [
  ['Linear', (value) => new nn.Linear(3, 2, value)],
  ['Conv1d', (value) => new nn.Conv1d(3, 2, 3, value)],
  ['Conv2d', (value) => new nn.Conv2d(3, 2, 3, value)],
  ['ConvTranspose1d', (value) => new nn.ConvTranspose1d(3, 2, 3, value)],
  ['ConvTranspose2d', (value) => new nn.ConvTranspose2d(3, 2, 3, value)],
  ['Embedding', (value) => new nn.Embedding(3, 2, value)],
  ['Flatten', (value) => new nn.Flatten(value)],
  ['LayerNorm', (value) => new nn.LayerNorm(4, value)],
  ['RMSNorm', (value) => new nn.RMSNorm(4, value)],
  ['GroupNorm', (value) => new nn.GroupNorm(2, 4, value)],
  ['InstanceNorm1d', (value) => new nn.InstanceNorm1d(4, value)],
  ['InstanceNorm2d', (value) => new nn.InstanceNorm2d(4, value)],
  ['BatchNorm1d', (value) => new nn.BatchNorm1d(4, value)],
  ['BatchNorm2d', (value) => new nn.BatchNorm2d(4, value)],
  ['MaxPool1d', (value) => new nn.MaxPool1d(2, value)],
  ['MaxPool2d', (value) => new nn.MaxPool2d(2, value)],
  ['AvgPool1d', (value) => new nn.AvgPool1d(2, value)],
  ['AvgPool2d', (value) => new nn.AvgPool2d(2, value)],
  ['LSTM', (value) => new nn.LSTM(3, 2, value)],
  ['GRU', (value) => new nn.GRU(3, 2, value)],
  ['MultiheadAttention', (value) => new nn.MultiheadAttention(4, 2, value)],
  ['GroupedQueryAttention', (value) => new nn.GroupedQueryAttention(value)],
  ['CoherenceMixer', (value) => new nn.CoherenceMixer(value)],
  ['TransformerEncoderLayer', (value) => new nn.TransformerEncoderLayer(4, 2, value)],
  ['TransformerDecoderLayer', (value) => new nn.TransformerDecoderLayer(4, 2, value)],
  ['TransformerEncoder', (value) => new nn.TransformerEncoder(0, () => new nn.TransformerEncoderLayer(4, 2), value)],
  ['TransformerDecoder', (value) => new nn.TransformerDecoder(0, () => new nn.TransformerDecoderLayer(4, 2), value)],
  ['Parallel', (value) => new nn.Parallel([new nn.ReLU()], value)],
  ['Upsample', (value) => new nn.Upsample(value)],
  ['GELU', (value) => new nn.GELU(value)],
  ['Softplus', (value) => new nn.Softplus(value)],
  ['sgd', (value) => optim.sgd(value)],
  ['adam', (value) => optim.adam(value)],
  ['adamw', (value) => optim.adamw(value)],
  ['muon', (value) => optim.muon(value)],
  ['lion', (value) => optim.lion(value)],
  ['adafactor', (value) => optim.adafactor(value)],
  ['adagrad', (value) => optim.adagrad(value)],
  ['rmsprop', (value) => optim.rmsprop(value)],
  ['muonWithAdamW', (value) => optim.muonWithAdamW(new nn.Linear(2, 2), value)],
  ['ema', (value) => optim.ema(new nn.Linear(2, 2), value)],
  ['ReduceLROnPlateau', (value) => new optim.ReduceLROnPlateau(value)],
]

const lossNames = [
  'bce',
  'bceWithLogits',
  'crossEntropy',
  'nll',
  'klDiv',
  'mse',
  'l1',
  'smoothL1',
  'huber',
  'poissonNll',
] as const
const similarities = ['cosineEmbedding', 'tripletMargin', 'marginRanking'] as const

it('losses say so too', () => {
  traceNetwork({ x: { shape: [2, 3] }, i: { shape: [2], dtype: 'i64' } }, ({ x, i }) => {
    const value = 'sum' as never
    const calls: Record<string, () => Tensor> = {
      ...Object.fromEntries(
        lossNames.map((name) => [name, () => losses[name](x, ['crossEntropy', 'nll'].includes(name) ? i : x, value)]),
      ),
      ...Object.fromEntries(similarities.map((name) => [name, () => losses[name](x, x, x, value)])),
      hingeEmbedding: () => losses.hingeEmbedding(x, x, value),
      infoNce: () => losses.infoNce(x, x, value),
      cosineSimilarity: () => losses.cosineSimilarity(x, x, value),
    }
    for (const [name, call] of Object.entries(calls))
      expect(call).toThrow(new RegExp(`^losses\\.${name} takes options by name, such as \\{ \\w+: .+ \\}; got "sum"`))
    return { y: x.neg() }
  })
})

it('a data loader says so too, before it makes batches of one example', () => {
  expect(() => new DataLoader(tensorDataset({}), 32 as never)).toThrow(
    /^DataLoader takes options by name, such as \{ batchSize: 32 \}; got 32 in their place/,
  )
})

it.each(positional)('%s says how its options are written when a value stands in their place', (what, make) => {
  for (const value of [false, 0.1, 'none', [1, 2], null]) {
    const attempt = () => make(value as never)
    expect(attempt).toThrow(NnError)
    expect(attempt).toThrow(new RegExp(`^${what} takes options by name, such as \\{ \\w+: .+ \\}; got `))
  }
})
