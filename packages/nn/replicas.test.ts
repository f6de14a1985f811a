import { arrayOf, type HostTensor, type Tensor } from '@enigma/tensor'
import { describe, expect, it } from 'vitest'
import { type CompileStepOptions, Layer, losses, nn, optim, TrainingStep } from './index.js'

const [T, B, F, H, classes] = [3, 6, 3, 4, 3] as const

const numbers = (count: number, from: number) => Array.from({ length: count }, (_, i) => Math.sin(0.9 * (i + from)))
const tensorOf = (data: number[], shape: readonly number[], dtype: 'f32' | 'i64' = 'f32'): HostTensor =>
  ({ dtype, shape, data: arrayOf(dtype, data) }) as HostTensor

/** Sequences [T, B, F] with a class each; `ignored` of them do not count. */
const batchOf = (index: number, { batch = B, ignored = 0 }: { batch?: number; ignored?: number } = {}) => ({
  x: tensorOf(numbers(T * batch * F, 100 * index), [T, batch, F]),
  y: tensorOf(
    Array.from({ length: batch }, (_, i) => (i < ignored ? -100 : (i * 2 + index) % classes)),
    [batch],
    'i64',
  ),
})

/** Two layers of an LSTM with dropout between, in both directions, and a linear layer on the last step. */
class Classifier extends Layer {
  readonly lstm: nn.LSTM
  readonly head: nn.Linear

  constructor(hidden: number = H) {
    super()
    this.lstm = new nn.LSTM(F, hidden, { seed: 1, numLayers: 2, dropout: 0.3, bidirectional: true })
    this.head = new nn.Linear(2 * hidden, classes, { seed: 2 })
  }

  override forward(x: Tensor): Tensor {
    const steps = this.lstm.forward(x)
    return this.head.forward(steps.slice(0, T - 1, T).squeeze(0))
  }
}

const accuracy = (output: Tensor, target: Tensor) => output.argmax(-1).equal(target).where(1, 0).mean()

type Given = Partial<CompileStepOptions>
const compiled = (net: Layer, options: Given) =>
  net.compileStep({
    loss: losses.crossEntropy,
    optimizer: optim.adamw({ lr: 0.01 }),
    metrics: { accuracy },
    clipNorm: 1,
    threads: 2,
    spin: false,
    ...options,
  })

/** Results of some updates and the weights after them. */
async function trained(
  options: Given,
  batches: readonly ReturnType<typeof batchOf>[][],
  { freeze = false, hidden = H as number } = {},
) {
  const net = new Classifier(hidden)
  if (freeze) net.head.parameters()[0]!.requiresGrad = false
  const step = await compiled(net, options)
  const results: number[][] = []
  const used: number[] = []
  for (const some of batches) {
    const { loss, gradNorm, metrics } = await step.accumulated(some)
    results.push([loss, gradNorm, metrics.accuracy!])
    used.push((await step.prepare(some[0]!)).replicas)
  }
  await step.close()
  return { results: results.flat(), used, weights: net.parameters().flatMap(({ data }) => [...data]) }
}

const largest = (a: readonly number[], b: readonly number[]) => Math.max(...a.map((value, index) => Math.abs(value - b[index]!)))

const single = [1, 2, 3].map((index) => [batchOf(index)])
const cases: Record<string, [Given, ReturnType<typeof batchOf>[][], { freeze: boolean }?]> = {
  'batch by batch': [{}, single],
  'of gradients of several batches': [
    { accumulate: 2 },
    [
      [batchOf(1), batchOf(2)],
      [batchOf(3), batchOf(4)],
    ],
  ],
  'where parts have targets that do not count': [{}, [1, 3, 4, 6].map((ignored) => [batchOf(1, { ignored })])],
  'with frozen parameters': [{}, single, { freeze: true }],
}

describe('a batch in parts', () => {
  it.each(Object.entries(cases))('trains like the whole, %s', async (_, [options, batches, rest]) => {
    const whole = await trained({ ...options, replicas: 1 }, batches, rest)
    const parts = await trained({ ...options, replicas: 2 }, batches, rest)
    expect(parts.used).toEqual(batches.map(() => 2))
    expect(largest(parts.results, whole.results)).toBeLessThan(2e-6)
    expect(largest(parts.weights, whole.weights)).toBeLessThan(1e-5)
  })

  it('is chosen for recurrent layers of some size, by the threads and the shape alone, and gives the same bits twice', async () => {
    const batches = [[batchOf(1)], [batchOf(2, { batch: 5 })], [batchOf(3)]]
    const large = { hidden: 128 }
    const [once, again] = [await trained({}, batches, large), await trained({}, batches, large)]
    expect(once.used).toEqual([2, 1, 2])
    expect(again).toEqual(once)
    expect((await trained({ threads: 3 }, [[batchOf(1)]], large)).used).toEqual([3])
    expect((await trained({ threads: 1 }, [[batchOf(1)]], large)).used).toEqual([1])
    expect((await trained({}, [[batchOf(1)]])).used).toEqual([1])
  })

  it('puts results of samples together, and those that are the same for all', async () => {
    const net = new nn.GRU(F, H, { seed: 1 })
    const step = (replicas: number) =>
      TrainingStep.compile({
        parameters: net.namedParameters(),
        inputs: { x: { shape: [T, B, F] } },
        loss: ({ x }) => {
          const output = net.forward(x)
          const weight = net.parameters()[0]!
          return { loss: output.mul(output).sum(), output, total: output.sum([0, 1]), norm: x.builder.lift(weight).abs().sum() }
        },
        optimizer: optim.sgd({ lr: 0 }),
        threads: 2,
        replicas,
      })
    const results = []
    for (const replicas of [1, 2]) {
      const training = await step(replicas)
      const { loss, gradients } = await training.gradients(() => training.set('x', numbers(T * B * F, 0)))
      const outputs = Object.values(training.outputs).flatMap(({ data }) => [...(data as Float32Array)])
      results.push([loss, ...outputs, ...Object.values(gradients).flatMap((gradient) => [...gradient])])
      await training.close()
    }
    expect(largest(results[0]!, results[1]!)).toBeLessThan(2e-5)
  })

  it('names a wrong class by its place in the whole batch', async () => {
    const batch = batchOf(1)
    ;(batch.y.data as BigInt64Array)[4] = 9n
    for (const replicas of [1, 2]) {
      const step = await compiled(new Classifier(), { replicas })
      await expect(step(batch)).rejects.toThrow(/index 9 at position 4 of 'y' is out of range: there are 3 rows/)
      await step(batchOf(2))
      await step.close()
    }
  })

  it('is refused where samples meet, if asked for, and not chosen there', async () => {
    const net = new nn.Sequential(new nn.Linear(F, F, { seed: 1 }), new nn.BatchNorm1d(F), new nn.Linear(F, classes, { seed: 2 }))
    const batch = { x: tensorOf(numbers(B * F, 0), [B, F]), y: batchOf(1).y }
    const forced = await compiled(net, { replicas: 2 })
    await expect(forced(batch)).rejects.toThrow(/replicas: 2 cannot be: 'batchNorm' mixes parts of the batch/)
    await forced.close()
    const odd = await compiled(new nn.Linear(F, classes, { seed: 1 }), { replicas: 2 })
    await expect(odd({ x: tensorOf(numbers(9, 0), [3, 3]), y: tensorOf([0, 1, 2], [3], 'i64') })).rejects.toThrow(
      /replicas: 2 cannot be: no input has a dimension that divides by 2/,
    )
    await odd.close()
    const own = await compiled(net, {})
    expect((await own.prepare(batch)).replicas).toBe(1)
    await own.close()
  })

  it('takes whole numbers of replicas, as many as can run at once, on the processor', async () => {
    const net = new nn.Linear(F, classes)
    const batch = { x: tensorOf(numbers(B * F, 0), [B, F]), y: batchOf(1).y }
    const wrong: [Given, RegExp][] = [
      [{ replicas: 0 }, /replicas must be a whole number from 1, got 0/],
      [{ replicas: 1.5 }, /whole number/],
      [{ replicas: 99 }, /more than the 4 that can run at once/],
      [{ replicas: 2, device: 'webgpu' }, /needs the device 'cpu', got 'webgpu'/],
    ]
    for (const [options, message] of wrong) {
      const step = await compiled(net, options)
      await expect(step(batch)).rejects.toThrow(message)
      await step.close()
    }
  })
})
