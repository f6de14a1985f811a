import { evaluate, tensor } from '@enigma/tensor'
import { describe, expect, it } from 'vitest'
import { losses, NnError, nn, optim, TrainingStep, traceNetwork, type UnaryLayer } from '../index.js'
import { expectGolden, layerGoldens } from '../testing/golden.js'

type Name = 'LayerNorm' | 'GroupNorm' | 'InstanceNorm1d' | 'InstanceNorm2d' | 'BatchNorm1d' | 'BatchNorm2d'
const traced = (layer: UnaryLayer, shape: number[], training = false) =>
  traceNetwork({ x: { shape } }, ({ x }) => ({ y: layer.forward(x) }), { training })

describe.each(layerGoldens('normalization'))('nn.$layer $arguments on $input.shape', (golden) => {
  it('gives the outputs, gradients and running statistics that PyTorch gives', async () => {
    await expectGolden(nn[golden.layer as Name], golden, 2e-6)
  })
})

describe('batch normalisation', () => {
  it('keeps the statistics of each layer apart, where layers have equally many channels', async () => {
    const [first, second] = [new nn.BatchNorm1d(2, { momentum: 1 }), new nn.BatchNorm1d(2, { momentum: 1 })]
    const { program, parameters, buffers, updates } = traceNetwork(
      { x: { shape: [4, 2] } },
      ({ x }) => ({ y: first.forward(x).add(second.forward(x.mul(10).add(1))) }),
      { training: true },
    )
    const x = [1, 2, 3, 2, 5, 6, 7, 6]
    const outputs = await evaluate(program, { x, ...parameters, ...buffers })
    const after = new Map(Object.entries(updates).map(([name, buffer]) => [buffer, [...outputs[name]!.data].map(Number)]))
    const expected = [
      [first, [4, 4], [20 / 3, 16 / 3]],
      [second, [41, 41], [2000 / 3, 1600 / 3]],
    ] as const
    for (const [layer, mean, variance] of expected) {
      expect(after.get(layer.running_mean!)).toEqual(mean.map((value) => expect.closeTo(value, 4)))
      expect(after.get(layer.running_var!)).toEqual(variance.map((value) => expect.closeTo(value, 3)))
      expect(after.get(layer.num_batches_tracked!)).toEqual([1])
      expect([...layer.weight!.data, ...layer.bias!.data]).toEqual([1, 1, 0, 0])
    }
  })

  it('follows the batches of a training step, and with eval() neither uses nor moves its statistics', async () => {
    const norm = new nn.BatchNorm1d(1, { momentum: 0.5 })
    const compile = () =>
      TrainingStep.compile<'x'>({
        parameters: norm.namedParameters(),
        inputs: { x: { shape: [4, 1] } },
        loss: ({ x }) => losses.mse(norm.forward(x), x),
        optimizer: optim.adamw({ lr: 0 }),
        threads: 1,
        spin: false,
      })
    const statistics = () =>
      [norm.running_mean, norm.running_var, norm.num_batches_tracked].map((buffer) => Number(buffer!.data[0]))
    const step = await compile()
    const fill = (values: number[]) => () => step.set('x', values)
    await step.step(fill([0, 0, 2, 2]))
    expect(statistics()).toEqual([0.5, expect.closeTo(0.5 + 0.5 * (4 / 3), 6), 1])
    await step.step(fill([1, 1, 1, 1]))
    expect(statistics()).toEqual([0.75, expect.closeTo(0.25 + 0.25 * (4 / 3), 6), 2])
    await step.close()
    norm.eval()
    const before = statistics()
    const frozen = await compile()
    await frozen.step(() => frozen.set('x', [5, 6, 7, 8]))
    expect(statistics()).toEqual(before)
    await frozen.close()
  })

  it('counts each use, where one layer is used twice', async () => {
    const norm = new nn.BatchNorm1d(1, { momentum: 0.5 })
    const { program, parameters, buffers, updates } = traceNetwork(
      { a: { shape: [2, 1] }, b: { shape: [2, 1] } },
      ({ a, b }) => ({ y: norm.forward(a).add(norm.forward(b)) }),
      { training: true },
    )
    const outputs = await evaluate(program, { a: [1, 3], b: [7, 9], ...parameters, ...buffers })
    const after = new Map(Object.entries(updates).map(([name, buffer]) => [buffer, Number(outputs[name]!.data[0])]))
    expect(after.size).toBe(3)
    expect(after.get(norm.running_mean!)).toBeCloseTo((0 + 2) / 4 + 8 / 2, 6)
    expect(after.get(norm.num_batches_tracked!)).toBe(2)
  })

  it('refuses a batch with one value per channel while training, and takes it in evaluation', async () => {
    const norm = new nn.BatchNorm2d(3)
    expect(() => traced(norm, [1, 3, 1, 1], true)).toThrow(/batchNorm: expected more than 1 value per channel.*\[1, 3, 1, 1\]/)
    const { program, parameters, buffers } = traced(norm, [1, 3, 1, 1])
    const { y } = await evaluate(program, { x: tensor([1, 2, 3], [1, 3, 1, 1]), ...parameters, ...buffers })
    for (const index of [0, 1, 2]) expect(y!.data[index]).toBeCloseTo(index + 1, 4)
  })
})

describe('normalisation layers', () => {
  it('refuse shapes and settings that do not fit, naming themselves', () => {
    const wrong = (layer: UnaryLayer, shape: number[]) => () => traced(layer, shape)
    expect(wrong(new nn.BatchNorm2d(3), [2, 3, 4])).toThrow(
      /BatchNorm2d: expected x \[N, 3, \.\.\.\] of 4 dimensions, got \[2, 3, 4\]/,
    )
    expect(wrong(new nn.BatchNorm1d(3), [2, 4])).toThrow(
      /BatchNorm1d: expected x \[N, 3, \.\.\.\] of 2 or 3 dimensions, got \[2, 4\]/,
    )
    expect(wrong(new nn.GroupNorm(2, 4), [2, 3, 5])).toThrow(/GroupNorm: expected x \[N, 4, \.\.\.\], got \[2, 3, 5\]/)
    expect(wrong(new nn.LayerNorm([3, 4]), [2, 4, 3])).toThrow(/layerNorm: .*normalized shape.*\[2, 4, 3\] and \[3, 4\]/)
    expect(wrong(new nn.LayerNorm(4, { elementwiseAffine: false }), [2, 3])).toThrow(/layerNorm.*\[2, 3\] and \[4\]/)
    expect(() => new nn.GroupNorm(3, 4)).toThrow(NnError)
    expect(() => new nn.GroupNorm(3, 4)).toThrow(/3 groups must divide 4 channels/)
  })
})
