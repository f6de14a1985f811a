import { checkpoint, type Tensor, tensor } from '@enigma/tensor'
import { awaitedElsewhere } from '@enigma/tensor/testing'
import { describe, expect, it } from 'vitest'
import { Layer, losses, nn, optim, Parameter } from './index.js'

const x = tensor([0, 1, 2, 3, 1, 1, 0, 2], [4, 2])
const y = tensor([0, 1, 1, 0], [4], 'i64')
const settings = { loss: losses.crossEntropy, threads: 1, spin: false }

describe('a compiled step', () => {
  it('trains the groups behind one whose learning rate is 0', async () => {
    const net = new nn.Sequential(new nn.Linear(2, 3, { seed: 1 }), new nn.Linear(3, 2, { seed: 2 }))
    const [frozen, ...rest] = [...net.parameters()]
    const before = [frozen!.data.slice(), rest[0]!.data.slice()]
    const optimizer = [
      { parameters: [frozen!], optimizer: optim.sgd({ lr: 0 }) },
      { parameters: rest, optimizer: optim.sgd({ lr: 0.1 }) },
    ]
    const step = await net.compileStep({ ...settings, optimizer })
    await step({ x, y }, 0.05)
    await step.close()
    expect(frozen!.data).toEqual(before[0])
    expect(rest[0]!.data).not.toEqual(before[1])
    expect(rest.every(({ data }) => data.every(Number.isFinite))).toBe(true)
  })

  it('keeps running statistics as they were after a batch whose loss is no number', async () => {
    const net = new nn.Sequential(new nn.BatchNorm1d(2), new nn.Linear(2, 2, { seed: 2 }))
    const step = await net.compileStep({ ...settings, optimizer: optim.sgd({ lr: 0.1 }) })
    await step({ x, y })
    const before = Object.values(net.stateDict()).map(({ data }) => data.slice())
    const broken = tensor([Number.NaN, 1, 2, 3, 1, 1, 0, 2], [4, 2])
    await expect(step({ x: broken, y })).rejects.toThrow(/The loss is NaN/)
    await step.close()
    expect(Object.values(net.stateDict()).map(({ data }) => data)).toEqual(before)
  })

  it('leaves all as it was where the loss is a number and its gradient is not, also with batches before that one', async () => {
    const net = new nn.Sequential(new nn.BatchNorm1d(2), new nn.Linear(2, 1, { seed: null }))
    // The root has no derivative where all outputs hit their targets, as 0 does with weights of 0.
    const loss = (output: Tensor, target: Tensor) => losses.mse(output, target).sqrt()
    const optimizer = optim.adamw({ lr: 0 })
    const step = await net.compileStep({ ...settings, loss, optimizer, accumulate: 2 })
    const batch = (value: number) => ({ x, y: tensor(Array(4).fill(value), [4, 1]) })
    const [good, bad] = [batch(1), batch(0)]
    await step.accumulated([good, good])
    const training = await step.prepare(good)
    const all = () =>
      [...Object.values(net.stateDict()), ...Object.values(training.optimizerState())].map(({ data }) => [...data])
    const before = all()
    await expect(step.accumulated([good, bad])).rejects.toThrow(/The loss is 0\.5, the gradient norm NaN; no update was made/)
    expect(all()).toEqual(before)
    expect(training.updates).toBe(1)
    await step.accumulated([good, good])
    expect(all()).not.toEqual(before)
    await step.close()
  })

  it('counts a batch once where normalisation is computed again for the gradient', async () => {
    const trained = async (recompute: boolean) => {
      const norm = new nn.BatchNorm1d(3)
      const body = new nn.Sequential(new nn.Linear(2, 3, { seed: 1 }), norm, new nn.Dropout(0.5))
      const head = new nn.Linear(3, 2, { seed: 2 })
      const step = await new nn.Sequential(body, head).compileStep({
        ...settings,
        optimizer: optim.sgd({ lr: 0.1 }),
        forward: ({ x }) => head.forward(recompute ? checkpoint((input) => body.forward(input), x!) : body.forward(x!)),
      })
      await step({ x, y })
      await step({ x, y })
      await step.close()
      expect(norm.num_batches_tracked!.data[0]).toBe(2n)
      return [body, head].flatMap((layer) => Object.values(layer.stateDict()).map(({ data }) => [...data]))
    }
    expect(await trained(true)).toEqual(await trained(false))
  })

  it('names a parameter that is larger than memory is dealt out, with its size', async () => {
    const net = new nn.Linear(2 ** 14, 2 ** 14 + 1, { bias: false, seed: null })
    const step = await net.compileStep({ ...settings, loss: losses.mse, optimizer: optim.sgd() })
    const batch = { x: tensor(Array(2 ** 14).fill(0), [1, 2 ** 14]), y: tensor(Array(2 ** 14 + 1).fill(0), [1, 2 ** 14 + 1]) }
    await expect(step(batch)).rejects.toMatchObject({
      code: 'OUT_OF_MEMORY',
      message:
        "Parameter 'weight': f32 [16385, 16384] takes 1073807360 bytes; a tensor must fit one shard of 1073741824: split it.",
    })
    await step.close()
  })

  it('refuses a batch whose numbers are not as many as its shape says', async () => {
    const net = new nn.Linear(2, 2, { seed: 1 })
    const step = await net.compileStep({ ...settings, optimizer: optim.sgd({ lr: 0.1 }) })
    await expect(step({ x: { ...x, data: new Float32Array(3) }, y })).rejects.toThrow(/'x' has shape \[4,2\], 8 elements/)
    await step.close()
  })

  it('blames the line that uses the network for a wrong shape, not one inside of a layer', async () => {
    const net = new nn.Sequential(new nn.Sequential(new nn.Sequential(new nn.Sequential(new nn.Linear(2, 3)))))
    await expect(awaitedElsewhere(() => net.predict(tensor([1, 2, 3], [1, 3])))).rejects.toThrow(
      /shapes \[1, 3\] and \[3, 2\] \(at \/elsewhere\.js:1:/,
    )
  })
})

describe('a compiled step and what changes between updates', () => {
  const batch = (count = 4) => ({
    x: tensor(Array(2 * count).fill(0.5), [count, 2]),
    y: tensor(Array(count).fill(1), [count, 1]),
  })
  const options = { loss: losses.mse, optimizer: optim.adamw({ lr: 0.1, decayVectors: true }), threads: 1, spin: false }

  it('leaves alone what is frozen after it was compiled, and says that it cannot train what was frozen then', async () => {
    const [first, second] = [new nn.Linear(2, 2, { seed: 1 }), new nn.Linear(2, 1, { seed: 2 })]
    const step = await new nn.Sequential(first, second).compileStep(options)
    await step(batch())
    first.freeze()
    const before = first.weight.data.slice()
    await step(batch())
    expect(first.weight.data).toEqual(before)
    first.freeze(false)
    await step(batch())
    expect(first.weight.data).not.toEqual(before)
    await step.close()

    second.freeze()
    const late = await new nn.Sequential(first, second).compileStep(options)
    await late(batch())
    second.freeze(false)
    await expect(late(batch())).rejects.toThrow(/Parameter '1\.weight' was frozen when this step was compiled/)
    await late.close()
  })

  it('follows the modes of layers, at a shape it knows too', async () => {
    const norm = new nn.BatchNorm1d(2)
    const net = new nn.Sequential(norm, new nn.Linear(2, 1))
    const step = await net.compileStep(options)
    await step(batch())
    const mean = norm.running_mean!.data.slice()
    net.eval()
    await step(batch())
    expect(norm.running_mean!.data).toEqual(mean)
    net.train()
    await step(batch())
    expect(norm.running_mean!.data).not.toEqual(mean)
    await step.close()
  })

  it('keeps programs of few shapes, whatever number it has seen', async () => {
    const step = await new nn.Linear(2, 1).compileStep(options)
    for (let round = 0; round < 2; round++)
      for (let count = 1; count <= 12; count++) expect(Number.isFinite((await step(batch(count))).loss)).toBe(true)
    await step.close()
  })

  it('finds parameters in arrays and plain objects, and refuses to lose one', async () => {
    class Nested extends Layer {
      stages = [[new nn.Linear(2, 2)], [new nn.Linear(2, 2)]]
      heads = { a: new nn.Linear(2, 1) }
      scales = [new Parameter([1], Float32Array.of(1))]
      hidden = new Map([['b', new nn.Linear(1, 1)]])
      useHidden = false
      override forward(x: Tensor): Tensor {
        const y = this.heads.a.forward(this.stages.flat().reduce((value, layer) => layer.forward(value), x)).mul(this.scales[0]!)
        return this.useHidden ? this.hidden.get('b')!.forward(y) : y
      }
    }
    const net = new Nested()
    expect([...net.namedParameters()].map(([name]) => name)).toEqual([
      'stages.0.0.weight',
      'stages.0.0.bias',
      'stages.1.0.weight',
      'stages.1.0.bias',
      'heads.a.weight',
      'heads.a.bias',
      'scales.0',
    ])
    const step = await net.compileStep(options)
    await step(batch())
    await step.close()
    net.useHidden = true
    const lost = await net.compileStep(options)
    await expect(lost(batch())).rejects.toThrow(/uses a parameter \[1, 1\] that is in no field of the network/)
    await lost.close()
  })

  it('says what is wrong with what it is given', async () => {
    const net = new nn.Linear(2, 3)
    const wrong = (given: object) => net.compileStep({ ...options, ...given } as never)
    await expect(wrong({ loss: 'mse' })).rejects.toThrow(/loss must be a function of output and target.*got string/)
    await expect(wrong({ optimizer: optim.adam })).rejects.toThrow(/optimizer must be one, such as optim\.adamw\(\)/)
    const step = await net.compileStep({ ...options, loss: losses.crossEntropy })
    const labelled = (label: number) => ({ x: tensor([1, 2], [1, 2]), y: tensor([label], [1], 'u8') })
    expect((await step(labelled(2))).loss).toBeGreaterThan(0)
    await expect(step(labelled(3))).rejects.toThrow(/A class or an index of the batch is out of range/)
    await expect(step(labelled(2), Number.NaN)).rejects.toThrow(/A learning rate must be a number from 0, got NaN/)
    await expect(step({ ...labelled(2), name: 'a' } as never)).rejects.toThrow(/'name' of the batch is no tensor/)
    await expect(step({ ...labelled(2), y: tensor([0.5], [1]) })).rejects.toThrow(
      /class indices, which are integers. Make it i64/,
    )
    await step.close()
    await expect(step(labelled(2))).rejects.toThrow(/This step is closed/)
  })

  it('refuses JavaScript’s operators on symbolic tensors', async () => {
    class Doubled extends Layer {
      override forward(x: Tensor): Tensor {
        return x.mul(((x as unknown as number) * 2) as number)
      }
    }
    await expect(new Doubled().predict(tensor([1], [1]))).rejects.toThrow(/Tensor f32\[1\] is symbolic: use its methods/)
    expect(() => tensor([1, 2, 3], [2, 2])).toThrow(/tensor/)
  })

  it('computes gradients for analysis without a trace: the run goes on as if nobody had looked', async () => {
    const trained = async (look: boolean) => {
      const net = new nn.Sequential(new nn.BatchNorm1d(2), new nn.Dropout(0.5), new nn.Linear(2, 1, { seed: 1 }))
      const step = await net.compileStep(options)
      const inner = await step.prepare(batch())
      await step(batch())
      if (look) await inner.gradients(() => undefined)
      await step(batch())
      await step.close()
      return Object.values(net.stateDict()).map(({ data }) => [...data].map(Number))
    }
    expect(await trained(true)).toEqual(await trained(false))
  })
})
