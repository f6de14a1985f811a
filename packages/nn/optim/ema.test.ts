import { tensor } from '@enigma/tensor'
import { describe, expect, it } from 'vitest'
import { nn, optim } from '../index.js'
import { golden, relativeError } from './golden.test.fixture.js'

const linear = () => {
  const net = new nn.Linear(3, 2)
  net.weight.data.set(golden.ema.weight)
  net.bias!.data.set(golden.ema.bias)
  return net
}
/** What the golden script does to the weights at each step. */
const change = (net: nn.Linear, step: number) => {
  net.weight.data.forEach((value, index) => {
    net.weight.data[index] = value * 0.9 + 0.01 * step
  })
  net.bias!.data.forEach((value, index) => {
    net.bias!.data[index] = value + 0.1 * step
  })
}

describe('the moving average of weights', () => {
  it('is PyTorch’s', async () => {
    const net = linear()
    const ema = optim.ema(net, { decay: golden.ema.decay })
    for (const [step, expected] of golden.ema.averages.entries()) {
      change(net, step)
      await ema.update()
      const { weight, bias } = ema.stateDict()
      expect(relativeError(weight!.data as Float32Array, expected.weight)).toBeLessThan(1e-6)
      expect(relativeError(bias!.data as Float32Array, expected.bias)).toBeLessThan(1e-6)
    }
  })

  it('goes into the network and out again without a loss of bits', async () => {
    const net = linear()
    const ema = optim.ema(net, { decay: 0.5 })
    await ema.update()
    change(net, 1)
    await ema.update()
    const trained = net.parameters().map(({ data }) => data.slice())
    const averages = Object.values(ema.stateDict()).map(({ data }) => data.slice())
    await ema.apply()
    expect(net.parameters().map(({ data }) => data)).toEqual(averages)
    expect(Object.values(ema.stateDict()).map(({ data }) => data)).toEqual(averages)
    await expect(ema.update()).rejects.toThrow(/restore\(\) before update/)
    await expect(ema.apply()).rejects.toThrow(/already in the network/)
    await ema.restore()
    expect(net.parameters().map(({ data }) => data)).toEqual(trained)
    await expect(ema.restore()).rejects.toThrow(/not in the network/)
  })

  it('continues from a saved state, which fits the network', async () => {
    const [net, copy] = [linear(), linear()]
    const first = optim.ema(net, { decay: 0.9 })
    await first.update()
    const saved = Object.fromEntries(
      Object.entries(first.stateDict()).map(([name, { shape, data }]) => [name, tensor([...(data as Float32Array)], shape)]),
    )
    copy.loadStateDict(saved)
    const second = optim.ema(net, { decay: 0.9 })
    second.loadStateDict(saved)
    change(net, 2)
    await first.update()
    await second.update()
    expect(second.stateDict()).toEqual(first.stateDict())
    expect(() => second.loadStateDict({ weight: tensor([1]) })).toThrow(/no tensor 'weight' of 6 elements/)
  })

  it('lets the event loop go on during a long update', async () => {
    const net = new nn.Embedding(3, 2 ** 18)
    const ema = optim.ema(net)
    let turns = 0
    const timer = setInterval(() => turns++, 0)
    for (let i = 0; i < 20; i++) await ema.update()
    clearInterval(timer)
    expect(turns).toBeGreaterThan(0)
    expect((ema.stateDict().weight!.data as Float32Array).at(-1)).toBe(net.weight.data.at(-1))
  })

  it('names a decay out of range', () => {
    expect(() => optim.ema(linear(), { decay: 1 })).toThrow(/ema: decay must be at least 0 and less than 1, got 1/)
  })
})
