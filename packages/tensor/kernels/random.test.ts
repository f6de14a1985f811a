import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SharedArena, type SharedTensor } from './arena.js'
import { loadKernelModule } from './module.js'
import { webAssembly } from './webassembly.js'
import { KernelWorkers } from './workers.js'

type Philox = (to: number, count: number, seed: bigint, stream: bigint, offset: bigint) => void

describe('random numbers', () => {
  const arena = new SharedArena()
  let workers: KernelWorkers
  beforeAll(() => {
    workers = new KernelWorkers()
  })
  afterAll(() => workers.close())
  const memory = new webAssembly.Memory({ initial: 1, maximum: 1, shared: true })
  const instance = new webAssembly.Instance(loadKernelModule(), { env: { memory } })
  const words = (count: number, seed: bigint, stream: bigint, offset: bigint) => {
    ;(instance.exports.philox as Philox)(0, count, seed, stream, offset)
    return [...new Uint32Array(memory.buffer, 0, count)]
  }

  it('are Philox4x32-10: the known answers of Random123', () => {
    const all = 2n ** 64n - 1n
    expect(words(4, 0n, 0n, 0n)).toEqual([0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8])
    // An element's number reaches the lower 2^62 blocks; the reference, which the kernel agrees with, reaches the published rest.
    expect(reference(all, all, all)).toEqual([0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd])
    expect(reference(0x85a308d3243f6a88n, 0x0370734413198a2en, 0x299f31d0a4093822n)).toEqual([
      0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1,
    ])
  })

  it('agree with the reference anywhere in a stream, from any element', () => {
    for (const offset of [0n, 1n, 6n, 2n ** 34n - 2n, 2n ** 40n + 3n]) {
      const expected = Array.from({ length: 37 }, (_, i) => {
        const at = offset + BigInt(i)
        return reference(at >> 2n, 9n, 123n)[Number(at & 3n)]!
      })
      expect(words(37, 123n, 9n, offset)).toEqual(expected)
    }
  })

  const draw = async (n: number, fill: (tensor: SharedTensor) => Promise<void>) => {
    const tensor = arena.allocate('f32', [n])
    await fill(tensor)
    return tensor.data
  }

  it('are reproducible from seed, stream and offset, in whatever pieces', async () => {
    const whole = await draw(1001, (t) => workers.random('normal', t, { seed: 7, stream: 1 }))
    const part = await draw(500, (t) => workers.random('normal', t, { seed: 7n, stream: 1n, offset: 333 }))
    expect(part).toEqual(whole.slice(333, 833))
    const other = await draw(1001, (t) => workers.random('normal', t, { seed: 7, stream: 2 }))
    expect(other).not.toEqual(whole)
    const reseeded = await draw(1001, (t) => workers.random('normal', t, { seed: 8, stream: 1 }))
    expect(reseeded).not.toEqual(whole)
  })

  it('are uniform over [low, high)', async () => {
    const x = await draw(100_000, (t) => workers.random('uniform', t, { seed: 1, low: -1, high: 3 }))
    expect(x.every((value) => value >= -1 && value < 3)).toBe(true)
    expect(mean(x)).toBeCloseTo(1, 1)
    const unit = await draw(8, (t) => workers.random('uniform', t, { seed: 1 }))
    const expected = [0n, 1n].flatMap((block) => reference(block, 0n, 1n)).map((word) => (word >>> 8) * 2 ** -24)
    expect([...unit]).toEqual(expected)
  })

  it('are normal by the formula of Box and Muller', async () => {
    const n = 4000
    const z = await draw(n, (t) => workers.random('normal', t, { seed: 3, mean: 2, deviation: 0.5 }))
    for (let i = 0; i < n; i += 2) {
      const block = reference(BigInt(i >> 2), 0n, 3n)
      const [word0, word1] = [block[i & 3]!, block[(i & 3) + 1]!]
      const radius = Math.sqrt(-2 * Math.log(((word0 >>> 8) + 1) * 2 ** -24))
      const angle = 2 * Math.PI * (word1 >>> 8) * 2 ** -24
      expect(Math.abs(z[i]! - (2 + 0.5 * radius * Math.cos(angle)))).toBeLessThan(1e-6)
      expect(Math.abs(z[i + 1]! - (2 + 0.5 * radius * Math.sin(angle)))).toBeLessThan(1e-6)
    }
    const many = await draw(200_000, (t) => workers.random('normal', t, { seed: 4 }))
    expect(Math.abs(mean(many))).toBeLessThan(0.01)
    expect(Math.abs(mean(many.map((x) => x * x)) - 1)).toBeLessThan(0.02)
    expect(Math.abs(mean(many.map((x) => x ** 4)) - 3)).toBeLessThan(0.15)
  })

  it('make dropout masks that keep the mean', async () => {
    const mask = await draw(200_001, (t) => workers.random('bernoulli', t, { seed: 5, p: 0.1 }))
    const kept = Math.fround(1 / 0.9)
    expect(mask.every((value) => value === 0 || value === kept)).toBe(true)
    expect(Math.abs(mean(mask) - 1)).toBeLessThan(0.005)
    const all = await draw(100, (t) => workers.random('bernoulli', t, { seed: 5, p: 0 }))
    expect(all.every((value) => value === 1)).toBe(true)
  })
})

const mean = (x: Float32Array) => x.reduce((sum, value) => sum + value, 0) / x.length

/** Philox4x32-10 as the paper writes it. */
function reference(counter: bigint, stream: bigint, seed: bigint): number[] {
  const low = 0xffffffffn
  let [c0, c1, c2, c3] = [counter & low, counter >> 32n, stream & low, stream >> 32n]
  let [k0, k1] = [seed & low, seed >> 32n]
  for (let round = 0; round < 10; round++) {
    const [p0, p1] = [c0 * 0xd2511f53n, c2 * 0xcd9e8d57n]
    ;[c0, c1, c2, c3] = [(p1 >> 32n) ^ c1 ^ k0, p1 & low, (p0 >> 32n) ^ c3 ^ k1, p0 & low]
    k0 = (k0 + 0x9e3779b9n) & low
    k1 = (k1 + 0xbb67ae85n) & low
  }
  return [c0, c1, c2, c3].map(Number)
}
