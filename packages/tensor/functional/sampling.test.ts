import { describe, expect, it } from 'vitest'
import { tensor } from '../builder.js'
import { evaluate } from '../compile.js'
import { trace } from '../trace.js'
import { bernoulli, multinomial, randperm } from './sampling.js'

const draws = async (weights: readonly number[], shape: readonly number[], count: number, replacement: boolean, seed = 0) => {
  const program = trace({ w: { shape } }, ({ w }) => ({ y: multinomial(w, count, { replacement }) }))
  const { y } = await evaluate(program, { w: weights }, { seed })
  expect(y!.dtype).toBe('i64')
  expect(y!.shape).toEqual([...shape.slice(0, -1), count])
  return Array.from(y!.data, Number)
}
const share = (values: readonly number[], wanted: number) => values.filter((value) => value === wanted).length / values.length
const rowsOf = (values: readonly number[], size: number) =>
  Array.from({ length: values.length / size }, (_, row) => values.slice(row * size, (row + 1) * size))

describe('multinomial', () => {
  const weights = [2, 0, 5, 3]

  it('draws with replacement as often as the weights say, each row by its own', async () => {
    const values = await draws([...weights, 0, 8, 1, 1], [2, 4], 20_000, true)
    for (const [row, wanted] of [weights, [0, 8, 1, 1]].entries())
      for (const [index, weight] of wanted.entries())
        expect(share(rowsOf(values, 20_000)[row]!, index)).toBeCloseTo(weight / 10, weight === 0 ? 10 : 1.7)
  })

  it('draws without replacement in turn, the next among those that are left', async () => {
    const rows = rowsOf(await draws(Array(20_000).fill(weights).flat(), [20_000, 4], 2, false), 2)
    expect(rows.every(([first, second]) => first !== second && first !== 1 && second !== 1)).toBe(true)
    for (const [index, weight] of weights.entries())
      expect(
        share(
          rows.map(([first]) => first!),
          index,
        ),
      ).toBeCloseTo(weight / 10, 1.7)
    const afterTwo = rows.flatMap(([first, second]) => (first === 2 ? [second!] : []))
    expect(share(afterTwo, 0)).toBeCloseTo(2 / 5, 1.7)
  })

  it('gives each index once where all are drawn, and those without weight last', async () => {
    for (const row of rowsOf(await draws(Array(50).fill(weights).flat(), [50, 4], 4, false), 4)) {
      expect([...row].sort()).toEqual([0, 1, 2, 3])
      expect(row[3]).toBe(1)
    }
  })

  it('never takes what has no weight, also where the random number is the largest or 0', async () => {
    const program = trace({ w: { shape: [3, 4] } }, ({ w }) => ({
      with: multinomial(w, 2, { replacement: true }),
      without: multinomial(w, 1),
    }))
    const [once, race] = program.inputs.filter(({ random }) => random).map(({ name }) => name)
    const extremes = [0, 1 - 2 ** -24]
    const outputs = await evaluate(program, {
      w: [0, 1 + 2 ** -23, 0, 0, 0, 1e-20, 3e30, 0, 0, 0, 7, 0],
      [once!]: tensor([...extremes, ...extremes, ...extremes], [3, 2]),
      [race!]: tensor(Array(6).fill(extremes).flat(), [3, 4]),
    })
    const [a, b] = [outputs.with!, outputs.without!].map(({ data }) => Array.from(data, Number)) as [number[], number[]]
    expect(a).toEqual([1, 1, 1, 2, 2, 2])
    expect(b).toEqual([1, 2, 2])
  })

  it('is the same for one seed and another for another', async () => {
    const [first, again, other] = [1, 1, 2].map((seed) => draws([1, 1, 1, 1], [4], 100, true, seed))
    expect(await first).toEqual(await again)
    expect(await first).not.toEqual(await other)
  })

  it('draws nothing for no rows, and says what is impossible', async () => {
    expect(await draws([], [0, 4], 2, true)).toEqual([])
    expect(await draws([], [0, 4], 2, false)).toEqual([])
    const attempt = (shape: number[], count: number) => () => trace({ w: { shape } }, ({ w }) => ({ y: multinomial(w, count) }))
    expect(attempt([2, 3], 4)).toThrow(/^multinomial: cannot choose 4 of 3 without replacement; shapes \[2, 3\]/)
    expect(attempt([], 1)).toThrow(/^multinomial: needs a last dimension of weights; shapes \[\]/)
    expect(attempt([3], 0)).toThrow(/number of samples must be a positive integer, given 0/)
  })
})

it('bernoulli is 1 as often as each element says', async () => {
  const program = trace({ p: { shape: [3, 1] } }, ({ p }) => ({ y: bernoulli(p.expand([3, 5000])) }))
  const rows = rowsOf(Array.from((await evaluate(program, { p: [0, 0.3, 1] })).y!.data, Number), 5000)
  expect(rows.map((row) => share(row, 1))).toEqual([0, expect.closeTo(0.3, 1.5), 1])
  expect(rows.map((row) => share(row, 0))).toEqual([1, expect.closeTo(0.7, 1.5), 0])
})

it('randperm has every integer once, in an order of the seed', async () => {
  const program = trace({}, (_, builder) => ({ y: randperm(builder, 100) }))
  const [first, other] = await Promise.all(
    [1, 2].map(async (seed) => Array.from((await evaluate(program, {}, { seed })).y!.data, Number)),
  )
  expect([...first!].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i))
  expect(first).not.toEqual(other)
})
