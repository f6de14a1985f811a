import { tensor } from '@enigma/tensor'
import { describe, expect, it } from 'vitest'
import { losses, nn, optim } from './index.js'
import { Random } from './init/index.js'

const random = new Random(5)
const images = tensor(
  Array.from({ length: 16 * 16 * 8 * 8 }, () => random.normal()),
  [16, 16, 8, 8],
)
const labels = tensor(
  Array.from({ length: 16 }, (_, index) => index % 4),
  [16],
  'i64',
)
const batch = { x: images, y: labels }

/** With everything that could differ: convolution, batch statistics, dropout, a reduction over many elements. */
const network = () =>
  new nn.Sequential(
    new nn.Conv2d(16, 16, 3, { padding: 1, seed: 1 }),
    new nn.BatchNorm2d(16),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Dropout(0.2),
    new nn.Linear(256, 4, { seed: 2 }),
  )

async function trained(steps: number, threads: number) {
  const net = network()
  const step = await net.compileStep({
    loss: losses.crossEntropy,
    optimizer: optim.adamw({ lr: 1e-3 }),
    clipNorm: 1,
    seed: 7,
    threads,
    spin: false,
  })
  const told: number[] = []
  for (let i = 0; i < steps; i++) {
    const { loss, gradNorm } = await step(batch)
    told.push(loss, gradNorm)
  }
  await step.close()
  return { told, state: Object.values(net.stateDict()).map(({ data }) => data.slice()) }
}

async function gradients(threads: number): Promise<number[]> {
  const step = await network().compileStep({ loss: losses.crossEntropy, optimizer: optim.adamw(), threads, spin: false })
  const prepared = await step.prepare(batch)
  const result = await prepared.gradients(() => {
    for (const [name, { data }] of Object.entries(batch))
      (prepared.inputs[name]!.data as { set(values: typeof data): void }).set(data)
  })
  await step.close()
  return Object.values(result.gradients).flatMap((values) => [...values])
}

describe('the same seed', () => {
  it('gives the same bits in fifty steps, twice, on one thread and on two', async () => {
    for (const threads of [1, 2]) expect(await trained(50, threads)).toEqual(await trained(50, threads))
  })

  it('gives gradients within 1e-6 on one thread and on two', async () => {
    const [one, two] = [await gradients(1), await gradients(2)]
    const norm = (values: readonly number[]) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0))
    expect(norm(one.map((value, index) => value - two[index]!)) / norm(one)).toBeLessThan(1e-6)
  })
})
