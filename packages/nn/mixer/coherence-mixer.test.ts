import { evaluate, grad, tensor } from '@enigma/tensor'
import { describe, expect, it } from 'vitest'
import { init, losses, nn, optim, traceNetwork } from '../index.js'
import { type MixerWeights, type NaiveMixer, naiveMixer, toDouble } from './testing/naive-mixer.js'

const dim = 32
const heads = 2
const shape: NaiveMixer = { dim, heads, channels: 4, curvature: -1 }
const mixerOf = (options: Partial<ConstructorParameters<typeof nn.CoherenceMixer>[0]> = {}) => {
  const mixer = new nn.CoherenceMixer({ dim, heads, seed: 3, ...options })
  // Away from the first values, where rows are equal to one another.
  const random = new init.Random(9)
  for (const parameter of [mixer.smoothing, mixer.channel_weight, mixer.norm.weight, mixer.decay_proj.bias!])
    for (let i = 0; i < parameter.data.length; i++) parameter.data[i]! += 0.3 * random.normal()
  return mixer
}
const numbers = (count: number, seed = 1) => {
  const random = new init.Random(seed)
  return Array.from({ length: count }, () => Math.fround(random.normal()))
}
const rows = (flat: ArrayLike<number>, width: number) =>
  Array.from({ length: flat.length / width }, (_, row) => Array.from({ length: width }, (_, i) => flat[row * width + i]!))

const run = async (mixer: nn.CoherenceMixer, x: readonly number[], batch: number) => {
  const length = x.length / batch / dim
  const { program, parameters } = traceNetwork({ x: { shape: [batch, length, dim] } }, (inputs) => ({
    y: mixer.forward(inputs.x),
  }))
  const { y } = await evaluate(program, { x, ...parameters })
  return y!.data as Float32Array
}
const relativeError = (got: ArrayLike<number>, wanted: ArrayLike<number>) => {
  const [difference, size] = [0, 0].map((_, which) =>
    Math.sqrt(Array.from(wanted).reduce((sum, value, i) => sum + (which === 0 ? (got[i]! - value) ** 2 : value * value), 0)),
  )
  return difference! / size!
}

describe('the coherence mixer', () => {
  it.each([1, 5, 64, 65, 200])('is its own recurrence in float64 at length %i', async (length) => {
    const mixer = mixerOf()
    const x = numbers(2 * length * dim)
    const wanted = [0, 1].flatMap(
      (row) =>
        naiveMixer(shape, toDouble(mixer.stateDict()), rows(x.slice(row * length * dim, (row + 1) * length * dim), dim)).output,
    )
    expect(relativeError(await run(mixer, x, 2), wanted.flat())).toBeLessThan(5e-6)
  })

  it('is its recurrence over more chunks than a scan has in one level', async () => {
    const length = 64 * 17 + 3
    const mixer = mixerOf({ curvature: -4 })
    const x = numbers(length * dim)
    const { output } = naiveMixer({ ...shape, curvature: -4 }, toDouble(mixer.stateDict()), rows(x, dim))
    expect(relativeError(await run(mixer, x, 1), output.flat())).toBeLessThan(5e-6)
  })

  it('leaves out weak channels where it is told to', async () => {
    const mixer = mixerOf({ discard: 0.3 })
    const x = numbers(70 * dim)
    const { output, shares } = naiveMixer({ ...shape, discard: 0.3 }, toDouble(mixer.stateDict()), rows(x, dim))
    expect(shares.some((row) => row.includes(0))).toBe(true)
    expect(relativeError(await run(mixer, x, 1), output.flat())).toBeLessThan(5e-6)
  })

  it.each([0, 7, 63, 64, 100])('changes no output before a token that changes: token %i', async (t) => {
    const mixer = mixerOf()
    const x = numbers(150 * dim)
    const changed = x.map((value, index) => (Math.floor(index / dim) === t ? value + 5 : value))
    const [before, after] = [await run(mixer, x, 1), await run(mixer, changed, 1)]
    expect(after.subarray(0, t * dim)).toEqual(before.subarray(0, t * dim)) // the same bits
    for (
      let later = t;
      later < 150;
      later++ // and every one after it: tokens do mix
    )
      expect(after.subarray(later * dim, (later + 1) * dim)).not.toEqual(before.subarray(later * dim, (later + 1) * dim))
  })

  it('reads sequences of a batch apart', async () => {
    const mixer = mixerOf()
    const [a, b] = [numbers(70 * dim, 1), numbers(70 * dim, 2)]
    const both = await run(mixer, [...a, ...b], 2)
    expect(relativeError(both.subarray(70 * dim), await run(mixer, b, 1))).toBeLessThan(1e-6)
  })

  it.each([{}, { discard: 0.3 }])('has the gradients of central differences of its recurrence %o', async (options) => {
    const length = 70
    const mixer = mixerOf(options)
    const x = numbers(length * dim)
    const probe = numbers(length * dim, 5)
    const { program, parameters } = traceNetwork({ x: { shape: [1, length, dim] } }, (inputs) => {
      const y = mixer.forward(inputs.x)
      return { loss: y.mul(y.builder.constant(probe, [1, length, dim])).sum() }
    })
    const names = ['x', ...Object.keys(parameters)]
    const result = await evaluate(grad(program, { of: 'loss', wrt: names }), { x, ...parameters })

    const state = toDouble(mixer.stateDict())
    const doubles: MixerWeights = { ...state, x: { shape: [length, dim], data: Float64Array.from(x) } }
    const loss = () =>
      naiveMixer({ ...shape, ...options }, doubles, rows(doubles.x!.data, dim))
        .output.flat()
        .reduce((sum, value, i) => sum + value * probe[i]!, 0)
    const own = new Map([...mixer.namedParameters()].map(([name, parameter]) => [parameter, name]))
    for (const input of names) {
      const { data } = doubles[input === 'x' ? 'x' : own.get(parameters[input]!)!]!
      const gradient = result[`d.${input}`]!.data as Float32Array
      const picked = [0, 1, 2, 3].map((part) => Math.floor(((part + 0.5) / 4) * data.length))
      const differences = picked.map((at) => {
        const value = data[at]!
        const sides = [1e-5, -1e-5].map((step) => {
          data[at] = value + step
          return loss()
        })
        data[at] = value
        return (sides[0]! - sides[1]!) / 2e-5
      })
      const got = picked.map((at) => gradient[at]!)
      expect(relativeError(got, differences), own.get(parameters[input]!) ?? 'x').toBeLessThan(1e-4)
    }
  })

  it('learns to say again what it was told, which needs tokens to mix', async () => {
    // Symbols 0…7 in random order, then a question mark, then the first of them is asked for.
    const [batch, length, symbols] = [16, 9, 8]
    const net = new (class extends nn.Sequential {})(
      new nn.Embedding(symbols + 1, 32, { seed: 1 }),
      new nn.CoherenceMixer({ dim: 32, heads: 2, seed: 2 }),
      new nn.Linear(32, symbols, { seed: 3 }),
    )
    const step = await net.compileStep({
      loss: (output, target) => losses.crossEntropy(output.slice(1, length - 1, length).reshape([batch, symbols]), target),
      optimizer: optim.adamw({ lr: 1e-2 }),
      threads: 1,
      spin: false,
    })
    const random = new init.Random(4)
    let last = 0
    for (let i = 0; i < 150; i++) {
      const tokens = Array.from({ length: batch }, () => [
        ...Array.from({ length: length - 1 }, () => random.integer() % symbols),
        symbols,
      ])
      const { loss } = await step({
        x: tensor(tokens.flat(), [batch, length], 'i64'),
        y: tensor(
          tokens.map(([first]) => first!),
          [batch],
          'i64',
        ),
      })
      last = i < 140 ? 0 : last + loss / 10
    }
    await step.close()
    expect(last).toBeLessThan(0.7) // guessing is 2.08
  })

  it('refuses what it cannot be', () => {
    expect(() => new nn.CoherenceMixer({ dim: 10, heads: 3 })).toThrow(/dim \(10\) must be a multiple of twice the heads \(3\)/)
    expect(() => mixerOf({ curvature: 0.5 })).toThrow(/curvature must be below 0, got 0.5/)
    expect(() => mixerOf({ discard: 1 })).toThrow(/discard must be between 0 and 1/)
    const forward = () => traceNetwork({ x: { shape: [1, 4, 8] } }, ({ x }) => ({ y: mixerOf().forward(x) }))
    expect(forward).toThrow(/CoherenceMixer: expected x \[batch, length, 32\], got \[1, 4, 8\]/)
  })
})
