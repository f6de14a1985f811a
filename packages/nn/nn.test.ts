import { tensor } from '@enigma/tensor'
import { describe, expect, it } from 'vitest'
import { losses, NnError, nn, optim, TrainingStep } from './index.js'

const regression = (overrides: Partial<Parameters<typeof TrainingStep.compile<'x' | 'y'>>[0]> = {}) => {
  const net = new nn.Sequential(new nn.Linear(2, 8, { seed: 1 }), new nn.Tanh(), new nn.Linear(8, 1, { seed: 2 }))
  return {
    net,
    step: TrainingStep.compile<'x' | 'y'>({
      parameters: net.namedParameters(),
      inputs: { x: { shape: [4, 2] }, y: { shape: [4, 1] } },
      loss: ({ x, y }) => losses.mse(net.forward(x), y),
      optimizer: optim.adamw({ lr: 0.02 }),
      threads: 1,
      spin: false,
      ...overrides,
    }),
  }
}
const fill = (step: TrainingStep<'x' | 'y'>) => () => {
  ;(step.inputs.x.data as Float32Array).set([0, 0, 0, 1, 1, 0, 1, 1])
  ;(step.inputs.y.data as Float32Array).set([0, 1, 1, 0])
}

describe('layers', () => {
  it('made of parts give each part weights of its own', () => {
    const { gate_proj, up_proj } = new nn.SwiGLU(8, 8, 0, 1)
    expect(gate_proj.weight.data).not.toEqual(up_proj.weight.data)
    expect(new nn.Linear(4, 4).weight.data).not.toEqual(new nn.Linear(4, 4).weight.data)
    expect(new nn.Linear(4, 4, { seed: null }).weight.data.every((value) => value === 0)).toBe(true)
  })

  it('name their parameters as PyTorch does', () => {
    const net = new nn.Sequential(new nn.Linear(2, 3), new nn.ReLU(), new nn.Linear(3, 1, { bias: false }))
    expect([...net.namedParameters()].map(([name, { shape }]) => [name, shape])).toEqual([
      ['0.weight', [3, 2]],
      ['0.bias', [3]],
      ['2.weight', [1, 3]],
    ])
    expect(net.parameterCount()).toBe(12)
  })

  it('start within the bound of PyTorch, the same for the same seed', () => {
    const weights = (seed: number) => new nn.Linear(100, 50, { seed }).weight.data
    expect(weights(3)).toEqual(weights(3))
    expect(weights(3)).not.toEqual(weights(4))
    expect(Math.max(...weights(3).map(Math.abs))).toBeLessThanOrEqual(0.1)
    expect(Math.max(...weights(3).map(Math.abs))).toBeGreaterThan(0.095)
  })

  it('load a state that fits, and name everything that does not', () => {
    const layer = new nn.Linear(2, 1)
    layer.loadStateDict({ weight: tensor([1, 2], [1, 2]), bias: tensor([3]) })
    expect([...layer.weight.data]).toEqual([1, 2])
    const wrong = () => layer.loadStateDict({ weight: tensor([1, 2, 3], [1, 3]), extra: tensor([1]) })
    expect(wrong).toThrow(NnError)
    expect(wrong).toThrow(/missing bias; unexpected extra; weight is f32\[1,3\], expected f32\[1,2\]/)
    expect([...layer.weight.data]).toEqual([1, 2])
    layer.loadStateDict({ bias: tensor([9]) }, { strict: false })
    expect([...layer.bias!.data]).toEqual([9])
  })

  it('refuse impossible settings', () => {
    expect(() => new nn.Dropout(1)).toThrow(/dropout must be at least 0 and less than 1, got 1/)
    expect(() => new nn.GroupedQueryAttention({ dim: 12, heads: 3, kvHeads: 2 })).toThrow(/Got remainder: 1/)
  })
})

describe('a training step', () => {
  it('learns exclusive or', async () => {
    const { step: compiling } = regression()
    const step = await compiling
    let last = Number.POSITIVE_INFINITY
    for (let i = 0; i < 300; i++) last = (await step.step(fill(step))).loss
    expect(last).toBeLessThan(0.01)
    expect(step.updates).toBe(300)
    await step.close()
  })

  it('leaves frozen parameters alone', async () => {
    const net = new nn.Sequential(new nn.Linear(2, 8, { seed: 1 }), new nn.Tanh(), new nn.Linear(8, 1, { seed: 2 }))
    const [first, second] = net.parameters()
    first!.requiresGrad = false
    const before = [first!.data.slice(), second!.data.slice()]
    const step = await TrainingStep.compile<'x' | 'y'>({
      parameters: net.namedParameters(),
      inputs: { x: { shape: [4, 2] }, y: { shape: [4, 1] } },
      loss: ({ x, y }) => losses.mse(net.forward(x), y),
      optimizer: optim.adamw({ lr: 0.02 }),
      threads: 1,
      spin: false,
    })
    await step.step(fill(step))
    expect(first!.data).toEqual(before[0])
    expect(second!.data).not.toEqual(before[1])
    await step.close()
  })

  it('averages accumulated batches: two equal ones are one', async () => {
    const run = async (accumulate: number) => {
      const { net, step: compiling } = regression({ accumulate })
      const step = await compiling
      const result = await step.step(fill(step))
      const weights = net.parameters().flatMap((parameter) => [...parameter.data])
      await step.close()
      return { ...result, weights }
    }
    const [one, two] = [await run(1), await run(2)]
    expect(two.loss).toBeCloseTo(one.loss, 6)
    expect(two.gradNorm).toBeCloseTo(one.gradNorm, 6)
    two.weights.forEach((weight, index) => {
      expect(weight).toBeCloseTo(one.weights[index]!, 6)
    })
  })

  it('restores its state, and refuses one that does not fit', async () => {
    const { step: compiling } = regression()
    const step = await compiling
    await step.step(fill(step))
    const saved = Object.fromEntries(
      Object.entries(step.optimizerState()).map(([name, { shape, data }]) => [name, tensor([...(data as Float32Array)], shape)]),
    )
    const counters = step.counters
    await step.step(fill(step))
    step.restore(saved, counters)
    expect(step.counters).toEqual({ updates: 1, runs: 1 })
    expect(() => step.restore({}, counters)).toThrow(/no tensor 'm\.0\.weight'/)
    await step.close()
  })

  it('trains only the parameters it is given', async () => {
    const { net, step: compiling } = regression()
    await (await compiling).close()
    const last = net.layers[2]!
    const before = net.parameters().map((parameter) => parameter.data.slice())
    const step = await TrainingStep.compile<'x' | 'y'>({
      parameters: last.namedParameters(),
      inputs: { x: { shape: [4, 2] }, y: { shape: [4, 1] } },
      loss: ({ x, y }) => losses.mse(net.forward(x), y),
      optimizer: optim.adamw({ lr: 0.02 }),
      threads: 1,
      spin: false,
    })
    await step.step(fill(step))
    await step.close()
    const changed = net.parameters().map((parameter, index) => parameter.data.some((value, i) => value !== before[index]![i]))
    expect(changed).toEqual([false, false, true, true])
  })

  it('makes no update from a loss or gradient that is not a number', async () => {
    const { net, step: compiling } = regression()
    const step = await compiling
    const before = net.parameters().map((parameter) => parameter.data.slice())
    const broken = () => {
      fill(step)()
      ;(step.inputs.x.data as Float32Array)[0] = Number.NaN
    }
    await expect(step.step(broken)).rejects.toThrow(/no update was made/)
    expect(net.parameters().map((parameter) => parameter.data.slice())).toEqual(before)
    expect(step.updates).toBe(0)
    await step.close()
  })

  it('hands its parameters over to a step that is compiled later, and says so if it is used again', async () => {
    const first = regression()
    const a = await first.step
    const b = await TrainingStep.compile<'x' | 'y'>({
      parameters: first.net.namedParameters(),
      inputs: { x: { shape: [4, 2] }, y: { shape: [4, 1] } },
      loss: ({ x, y }) => losses.mse(first.net.forward(x), y),
      optimizer: optim.adamw({ lr: 0.02 }),
      threads: 1,
      spin: false,
    })
    await expect(a.step(fill(a))).rejects.toThrow(/Another training step trains/)
    await a.close()
    const before = first.net.parameters()[0]!.data.slice()
    await b.step(fill(b))
    await b.close()
    expect(first.net.parameters()[0]!.data).not.toEqual(before)
  })

  it('runs one step at a time, and closes only after it', async () => {
    const { net, step: compiling } = regression()
    const step = await compiling
    const running = step.step(fill(step))
    await expect(step.step(fill(step))).rejects.toThrow(/still running/)
    const closing = step.close()
    await running
    await closing
    expect(net.parameters()[0]!.data.buffer).toBeInstanceOf(ArrayBuffer)
  })

  it('has nothing to do where the loss uses no parameter', async () => {
    const compiling = TrainingStep.compile({
      parameters: [],
      inputs: { x: { shape: [1] } },
      loss: ({ x }) => x.sum(),
      optimizer: optim.adamw(),
    })
    await expect(compiling).rejects.toThrow(/no trainable parameter/)
  })
})
