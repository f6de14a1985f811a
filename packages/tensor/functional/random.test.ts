import { describe, expect, it } from 'vitest'
import { compile, evaluate } from '../compile.js'
import { grad } from '../grad.js'
import { KernelWorkers, SharedArena } from '../kernels/index.js'
import type { Program } from '../program.js'
import { trace } from '../trace.js'
import { dropout, rand, randint, randLike, randn } from './random.js'

const noise = trace({}, (_, builder) => ({
  uniform: rand(builder, [40, 50], { low: -1, high: 3 }),
  normal: randn(builder, [300_000], { mean: 2, std: 0.5 }),
  dice: randint(builder, 1, 7, [6000]),
}))
const draw = async (program: Program, seed?: number | bigint) => {
  const outputs = await evaluate(program, {}, seed === undefined ? {} : { seed })
  return Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, Array.from(data as Float32Array, Number)]))
}
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

describe('random tensors', () => {
  it('have the distributions they are named after', async () => {
    const { uniform, normal, dice } = await draw(noise)
    expect(Math.min(...uniform!)).toBeGreaterThanOrEqual(-1)
    expect(Math.max(...uniform!)).toBeLessThan(3)
    expect(mean(uniform!)).toBeCloseTo(1, 0)
    expect(mean(normal!)).toBeCloseTo(2, 2)
    expect(mean(normal!.map((z) => (z - 2) ** 2))).toBeCloseTo(0.25, 2)
    expect([...new Set(dice)].sort()).toEqual([1, 2, 3, 4, 5, 6])
    for (const side of [1, 2, 3, 4, 5, 6]) expect(dice!.filter((value) => value === side).length).toBeGreaterThan(850)
  })

  it('are the same for the same seed, 0 if none is given, and others for another', async () => {
    const [first, zero, one] = [await draw(noise), await draw(noise, 0n), await draw(noise, 1)]
    expect(first).toEqual(zero)
    expect(first.uniform).not.toEqual(one.uniform)
  })

  it('are independent of each other', async () => {
    const two = trace({}, (_, builder) => ({ a: rand(builder, [100]), b: rand(builder, [100]) }))
    const { a, b } = await draw(two)
    expect(a).not.toEqual(b)
  })

  it('hold the numbers that kernel workers make under the same seed and stream', async () => {
    const workers = new KernelWorkers({ workers: 1 })
    const arena = new SharedArena({ bytes: 2 ** 21 })
    const expected = arena.allocate('f32', [300_000])
    await workers.random('normal', expected, { seed: 5, stream: 1, mean: 2, deviation: 0.5 })
    await workers.close()
    const { normal } = await evaluate(noise, {}, { seed: 5 })
    expect(normal!.data.every((value, index) => value === expected.data[index])).toBe(true)
  })

  it('take sizes that are known only when the program runs, and numbers that are fed', async () => {
    const program = trace({ x: { shape: ['batch', 2] } }, ({ x }) => ({ y: x.mul(0).add(randLike(x)) }))
    const executable = await compile(program)
    const x = { dtype: 'f32', shape: [3, 2], data: new Float32Array(6) } as const
    const name = program.inputs.find(({ random }) => random)!.name
    const free = (await executable.run({ x })).y!
    expect(new Set(free.data as Float32Array).size).toBe(6)
    const fed = (await executable.run({ x, [name]: { ...x, data: new Float32Array(6).fill(7) } })).y!
    expect([...fed.data]).toEqual([7, 7, 7, 7, 7, 7])
    executable.release()
  })

  it('make dropout zero a share of the elements and of their gradients', async () => {
    const program = trace({ x: { shape: [5000] } }, ({ x }) => ({ y: dropout(x, 0.25), loss: dropout(x, 0.25).sum() }), {
      training: true,
    })
    const { y, 'd.x': d } = await evaluate(grad(program, { of: 'loss', wrt: ['x'] }), { x: new Array(5000).fill(3) })
    expect(new Set(y!.data as Float32Array)).toEqual(new Set([0, 4]))
    expect(mean([...(d!.data as Float32Array)].map((value) => Number(value === 0)))).toBeCloseTo(0.25, 1)
  })

  it('of integers refuse a range that f32 cannot spread over evenly', () => {
    const range = (low: number, high: number) => () => trace({}, (_, builder) => ({ y: randint(builder, low, high, [1]) }))
    expect(range(0, 2 ** 25)).toThrow(/randint: low and high must be integers 1 to 2\^24 apart, given 0 and 33554432/)
    expect(range(3, 3)).toThrow(/randint/)
  })
})

it('a missing input that is not random is named', async () => {
  const program = trace({ x: { shape: [2] } }, ({ x }) => ({ y: x.add(rand(x.builder, [2])) }))
  await expect(evaluate(program, {})).rejects.toThrow(/Input 'x' is missing/)
})
