import { tensor } from '@enigma/tensor'
import { describe, expect, it } from 'vitest'
import { losses, nn, optim } from './index.js'

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

  it('refuses a batch whose numbers are not as many as its shape says', async () => {
    const net = new nn.Linear(2, 2, { seed: 1 })
    const step = await net.compileStep({ ...settings, optimizer: optim.sgd({ lr: 0.1 }) })
    await expect(step({ x: { ...x, data: new Float32Array(3) }, y })).rejects.toThrow(/'x' has shape \[4,2\], 8 elements/)
    await step.close()
  })

  it('blames the line that uses the network for a wrong shape, not one inside of a layer', async () => {
    const net = new nn.Sequential(new nn.Sequential(new nn.Sequential(new nn.Sequential(new nn.Linear(2, 3)))))
    await expect(net.predict(tensor([1, 2, 3], [1, 3]))).rejects.toThrow(
      /shapes \[1, 3\] and \[3, 2\] \(at .*compile-step\.test\./,
    )
  })
})
