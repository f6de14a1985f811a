import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SharedArena, type SharedTensor } from './arena.js'
import { chunkElements } from './call.js'
import { KernelWorkers } from './workers.js'

const sizes = [0, 1, 3, 4, 5, 7, 8, 17, 1023, chunkElements + 5]
const wave = (n: number, phase: number) => Float32Array.from({ length: n }, (_, i) => Math.sin(i * 0.7 + phase) * (1 + (i % 13)))
const same = (actual: Float32Array, expected: Float32Array) =>
  actual.length === expected.length && actual.every((value, index) => Object.is(value, expected[index]))
const close = (actual: ArrayLike<number>, expected: ArrayLike<number>): number => {
  let [difference, norm] = [0, 0]
  for (let i = 0; i < expected.length; i++) {
    difference += (actual[i]! - expected[i]!) ** 2
    norm += expected[i]! ** 2
  }
  return norm === 0 ? difference : Math.sqrt(difference / norm)
}

describe('kernel workers', () => {
  const arena = new SharedArena()
  let workers: KernelWorkers
  const tensor = (values: Float32Array, shape: readonly number[] = [values.length], from = arena): SharedTensor<'f32'> => {
    const made = from.allocate('f32', shape)
    made.data.set(values)
    return made
  }
  beforeAll(() => {
    workers = new KernelWorkers()
  })
  afterAll(() => workers.close())

  /** torch.optim.AdamW (single tensor, not capturable), in float64. */
  const adamwReference = (
    w: Float64Array,
    gradients: readonly Float32Array[],
    o: typeof options,
    decay: number,
    scale: number,
  ) => {
    const [m, v] = [new Float64Array(w.length), new Float64Array(w.length)]
    gradients.forEach((gradient, index) => {
      const step = index + 1
      for (let i = 0; i < w.length; i++) {
        const g = gradient[i]! * scale
        w[i]! *= 1 - o.learningRate * decay
        m[i] = o.beta1 * m[i]! + (1 - o.beta1) * g
        v[i] = o.beta2 * v[i]! + (1 - o.beta2) * g * g
        const denominator = Math.sqrt(v[i]!) / Math.sqrt(1 - o.beta2 ** step) + o.eps
        w[i]! -= ((o.learningRate / (1 - o.beta1 ** step)) * m[i]!) / denominator
      }
    })
    return { w, m, v }
  }
  const options = { learningRate: 3e-3, beta1: 0.9, beta2: 0.95, eps: 1e-8 }
  const adamScalars = (step: number, weightDecay: number, scale: number, l2: readonly number[] = []) => {
    const { learningRate, beta1, beta2, eps } = options
    const [stepSize, root] = [learningRate / (1 - beta1 ** step), 1 / Math.sqrt(1 - beta2 ** step)]
    return [scale, ...l2, 1 - learningRate * weightDecay, 1 - beta1, beta2, 1 - beta2, stepSize, root, eps]
  }

  it('follows PyTorch’s AdamW for 20 steps at every size', async () => {
    const parts = sizes.map((n, index) => ({ start: wave(n, index), weightDecay: index % 2 ? 0.1 : 0 }))
    const gradients = parts.map(({ start }) => Array.from({ length: 20 }, (_, step) => wave(start.length, step * 1.3 + 0.2)))
    const segments = parts.map(({ start, weightDecay }) => {
      const zero = () => tensor(new Float32Array(start.length))
      return { parameter: tensor(start), gradient: zero(), m: zero(), v: zero(), weightDecay }
    })
    for (let step = 1; step <= 20; step++) {
      segments.forEach(({ gradient }, index) => {
        gradient.data.set(gradients[index]![step - 1]!)
      })
      await workers.update(
        'adamw',
        segments.map(({ parameter, gradient, m, v, weightDecay }) => ({
          tensors: [parameter, gradient, m, v],
          scalars: adamScalars(step, weightDecay, 0.25),
        })),
      )
    }
    segments.forEach(({ parameter, m, v, weightDecay }, index) => {
      const expected = adamwReference(Float64Array.from(parts[index]!.start), gradients[index]!, options, weightDecay, 0.25)
      expect(close(parameter.data, expected.w)).toBeLessThan(1e-6)
      expect(close(m.data, expected.m)).toBeLessThan(1e-6)
      expect(close(v.data, expected.v)).toBeLessThan(1e-6)
    })
  })

  it('updates a segment whose tensors lie in different shards just the same', async () => {
    const spread = new SharedArena({ shardBytes: chunkElements * 4 + 4096 })
    const n = chunkElements + 3
    const make = (from: SharedArena) =>
      [0, 1, 2, 3, 4].map((phase) => tensor(phase < 3 ? wave(n, phase) : wave(n, phase).map((x) => x * x), [n], from))
    const [together, apart] = [make(arena), make(spread)]
    expect(new Set(apart.map(({ shard }) => shard)).size).toBe(5)
    const scalars = adamScalars(3, 0.1, 1, [0.01])
    await workers.update('amsgrad', [
      { tensors: together, scalars },
      { tensors: apart, scalars },
    ])
    for (const [index, { data }] of apart.entries()) expect(same(data, together[index]!.data)).toBe(true)
  })

  it('updates by Adam without decay as by AdamW without decay', async () => {
    for (const n of sizes) {
      const make = () => [0, 1, 2, 3].map((phase) => tensor(wave(n, phase).map((x) => (phase < 3 ? x : x * x))))
      const [plain, general] = [make(), make()]
      await workers.update('adamw', [{ tensors: plain, scalars: adamScalars(2, 0, 0.5) }])
      await workers.update('adam', [{ tensors: general, scalars: adamScalars(2, 0, 0.5, [0]) }])
      for (const [index, { data }] of general.entries()) expect(same(data, plain[index]!.data)).toBe(true)
    }
  })

  it('refuses an update with too few tensors', async () => {
    const x = tensor(wave(3, 0))
    await expect(workers.update('sgd', [{ tensors: [x], scalars: [1, 0, 0.1] }])).rejects.toThrow(
      /'sgd' takes 2 tensors, given 1/,
    )
  })

  it('clamps and copies, tails included', async () => {
    for (const n of sizes) {
      const [x, y] = [tensor(wave(n, 1)), tensor(wave(n, 2))]
      await workers.copy([x], [y])
      expect(same(y.data, x.data)).toBe(true)
      const before = x.data.slice()
      await workers.clamp([x], 0.5)
      expect(
        same(
          x.data,
          before.map((value) => Math.min(0.5, Math.max(-0.5, value))),
        ),
      ).toBe(true)
    }
    const broken = tensor(Float32Array.of(Number.NaN, 1, Number.NEGATIVE_INFINITY, 0, Number.NaN))
    await workers.clamp([broken], 1)
    expect([...broken.data]).toEqual([Number.NaN, 1, -1, 0, Number.NaN])
  })

  it('sums squares in double precision', async () => {
    const tensors = sizes.map((n, index) => tensor(wave(n, index)))
    const expected = tensors.flatMap(({ data }) => [...data]).reduce((sum, x) => sum + x * x, 0)
    expect(Math.abs((await workers.sumOfSquares(tensors)) / expected - 1)).toBeLessThan(1e-12)
    expect(await workers.sumOfSquares([])).toBe(0)
  })

  it('gives the same bits with any number of threads', async () => {
    const values = wave(3 * chunkElements + 11, 1)
    const results = []
    for (const count of [1, 2, 3]) {
      const some = new KernelWorkers({ workers: count })
      const [x, noise] = [tensor(values), tensor(values)]
      const norm = await some.sumOfSquares([x])
      await some.random('normal', noise, { seed: 5, stream: 2, offset: 3 })
      results.push({ norm, noise: Buffer.from(noise.data).toString('base64') })
      await some.close()
    }
    expect(results[1]).toEqual(results[0])
    expect(results[2]).toEqual(results[0])
  })

  it('finds an infinity or a NaN in any place', async () => {
    for (const n of [1, 4, 7, 64, chunkElements + 1])
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
        const x = tensor(wave(n, 0))
        expect(await workers.hasNonFinite([x])).toBe(false)
        x.data[n - 1] = bad
        expect(await workers.hasNonFinite([tensor(wave(3, 0)), x])).toBe(true)
      }
    expect(await workers.hasNonFinite([tensor(Float32Array.of(3.4e38, -3.4e38, 1e-45))])).toBe(false)
  })

  it('accumulates, scales and fills, tails included', async () => {
    for (const n of sizes) {
      const [x, y] = [wave(n, 1), wave(n, 2)]
      const [a, b] = [tensor(x), tensor(y)]
      const after = tensor(Float32Array.of(42))
      await workers.axpy(0.5, [a], [b])
      expect(
        same(
          b.data,
          Float32Array.from(y, (value, i) => Math.fround(value + x[i]! * 0.5)),
        ),
      ).toBe(true)
      await workers.scale([a], 2)
      expect(
        same(
          a.data,
          x.map((value) => value * 2),
        ),
      ).toBe(true)
      await workers.fill([b], 0.1)
      expect(same(b.data, new Float32Array(n).fill(0.1))).toBe(true)
      expect(after.data[0]).toBe(42)
    }
  })

  it('takes effect in the order of the calls, without waiting between them', async () => {
    const x = tensor(new Float32Array(2 * chunkElements))
    await Promise.all([workers.fill([x], 3), workers.scale([x], 2), workers.axpy(1, [x], [x])])
    expect(x.data.every((value) => value === 12)).toBe(true)
  })

  it('adds rows in the order they come, repeated ids included', async () => {
    for (const [height, width, count] of [
      [5, 1, 20],
      [7, 33, 100],
      [3, 64, 50],
      [4, 8, 0],
    ] as const) {
      const target = tensor(wave(height * width, 0), [height, width])
      const rows = tensor(wave(count * width, 1), [count, width])
      const ids = arena.allocate('i64', [count])
      const expected = Float32Array.from(target.data)
      for (let i = 0; i < count; i++) {
        const id = (i * i + 1) % height
        ids.data[i] = BigInt(id)
        for (let j = 0; j < width; j++) expected[id * width + j]! += rows.data[i * width + j]!
      }
      await workers.scatterAddRows(target, ids, rows)
      expect(target.data).toEqual(expected)
    }
  })

  it('names an id outside the matrix and writes nothing', async () => {
    const target = tensor(new Float32Array(8), [4, 2])
    const ids = arena.allocate('i64', [3])
    for (const bad of [4n, -1n]) {
      ids.data.set([0n, 1n, bad])
      const failure = workers.scatterAddRows(target, ids, tensor(new Float32Array(6).fill(1), [3, 2]))
      await expect(failure).rejects.toMatchObject({
        code: 'KERNEL_FAILED',
        message: expect.stringContaining(`Id ${bad} at position 2`),
      })
    }
    expect(target.data.every((value) => value === 0)).toBe(true)
  })

  it('converts to half precision and back', async () => {
    const values = Float32Array.of(1, -2.5, 65504, 65520, 1e-7, 3e-8, 2.9802322387695312e-8, Number.POSITIVE_INFINITY, 1 / 3)
    const half = arena.allocate('f16', [values.length])
    const back = tensor(new Float32Array(values.length))
    await workers.toHalf([tensor(values)], [half])
    expect([...half.data]).toEqual([0x3c00, 0xc100, 0x7bff, 0x7c00, 0x0002, 0x0001, 0x0000, 0x7c00, 0x3555])
    await workers.toFloat([half], [back])
    expect([...back.data]).toEqual([1, -2.5, 65504, Infinity, 2 ** -23, 2 ** -24, 0, Infinity, 1365 / 4096])
  })

  it('says what does not fit', async () => {
    const [three, four] = [tensor(new Float32Array(3)), tensor(new Float32Array(4))]
    await expect(workers.axpy(1, [three], [four])).rejects.toMatchObject({ code: 'SHAPE_MISMATCH' })
    await expect(workers.axpy(1, [three], [])).rejects.toMatchObject({ code: 'SHAPE_MISMATCH' })
    await expect(workers.fill([arena.allocate('i64', [1])], 0)).rejects.toMatchObject({ code: 'DTYPE_MISMATCH' })
    await expect(workers.random('bernoulli', three, { seed: 1, p: 1 })).rejects.toThrow(/\[0, 1\)/)
    await expect(workers.scatterAddRows(three, arena.allocate('i64', [1]), three)).rejects.toMatchObject({
      code: 'SHAPE_MISMATCH',
    })
  })

  it('goes on after a kernel that failed', async () => {
    const x = tensor(wave(8, 0))
    await expect(workers.fill([{ ...x, byteOffset: 2 ** 31 }], 1)).rejects.toMatchObject({ code: 'KERNEL_FAILED' })
    await workers.fill([x], 1)
    expect(x.data[7]).toBe(1)
  })

  it('refuses work once closed', async () => {
    const brief = new KernelWorkers({ workers: 1 })
    const x = tensor(wave(8, 0))
    const pending = brief.fill([x], 2)
    await brief.close()
    await pending
    expect(x.data[0]).toBe(2)
    await expect(brief.fill([x], 1)).rejects.toMatchObject({ code: 'KERNEL_FAILED', message: expect.stringContaining('closed') })
  })

  it('lets the process end while open, but not before an update has', async () => {
    const kernels = JSON.stringify(new URL('./index.js', import.meta.url).href)
    const script = `import { KernelWorkers, SharedArena } from ${kernels}
      const workers = new KernelWorkers()
      const x = new SharedArena().allocate('f32', [1e6])
      workers.fill([x], 1).then(() => console.log(x.data[999999]))`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.on('data', (chunk) => {
      output += chunk
    })
    expect(await once(child, 'close')).toEqual([0, null])
    expect(output.trim()).toBe('1')
  })
})
