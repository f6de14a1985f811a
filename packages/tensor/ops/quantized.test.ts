import { describe, expect, it } from 'vitest'
import { evaluate } from '../compile.js'
import { gatherQuantized, matmulQuantized, type QuantizedOperand } from '../functional/index.js'
import { generator } from '../testing/op-cases.js'
import { trace } from '../trace.js'

function randomMatrix(rows: number, blocks: number, block: number, bits: number) {
  const random = generator(rows + bits)
  const codes = Uint8Array.from({ length: (rows * blocks * block * bits) / 8 }, () => random() * 256)
  const scales = Float32Array.from({ length: rows * blocks }, () => random() - 0.5)
  const columns = blocks * block
  const value = (row: number, column: number) => {
    const at = row * columns + column
    const code = bits === 8 ? codes[at]! : (codes[at >> 1]! >> (4 * (at & 1))) & 15
    return (code - 2 ** (bits - 1)) * scales[row * blocks + Math.floor(column / block)]!
  }
  return { codes, scales, value, columns }
}

describe.each([
  [4, 32],
  [8, 32],
  [4, 64],
  [8, 128],
])('a matrix of %i bits in blocks of %i', (bits, block) => {
  const [rows, blocks] = [24, 3]
  const { codes, scales, value, columns } = randomMatrix(rows, blocks, block, bits)

  it.each([1, 5])('times %i vectors is that of a float64 reference; with x rounded to 8 bits, nearly', async (batch) => {
    const program = trace({ x: { shape: ['batch', columns] } }, ({ x }, builder) => {
      const weight: QuantizedOperand = {
        ...{ bits, block },
        codes: builder.constant(codes, [rows, blocks, (block * bits) / 8], 'u8'),
        scales: builder.constant(scales, [rows, blocks]),
      }
      return { exact: matmulQuantized(x, weight, { exact: true }), rounded: matmulQuantized(x, weight) }
    })
    const random = generator(7)
    const x = Float32Array.from({ length: batch * columns }, () => random() - 0.5)
    const expected = Float64Array.from({ length: batch * rows }, (_, at) => {
      const [b, row] = [Math.floor(at / rows), at % rows]
      let sum = 0
      for (let k = 0; k < columns; k++) sum += x[b * columns + k]! * value(row, k)
      return sum
    })
    const size = Math.hypot(...expected)
    const y = await evaluate(program, { x: { dtype: 'f32', shape: [batch, columns], data: x } }, { threads: 1 })
    const error = (name: string) =>
      Math.hypot(...Array.from(y[name]!.data as Float32Array, (got, at) => got - expected[at]!)) / size
    expect(error('exact')).toBeLessThan(1e-5)
    expect(error('rounded')).toBeLessThan(0.02)
  })

  it('gives its rows as numbers', async () => {
    const program = trace({ rows: { shape: ['n'], dtype: 'i64' } }, ({ rows: indices }, builder) => ({
      y: gatherQuantized(
        {
          ...{ bits, block },
          codes: builder.constant(codes, [rows, blocks, (block * bits) / 8], 'u8'),
          scales: builder.constant(scales, [rows, blocks]),
        },
        indices,
      ),
    }))
    const { y } = await evaluate(program, { rows: { dtype: 'i64', shape: [2], data: BigInt64Array.of(9n, 2n) } })
    expect(y!.shape).toEqual([2, columns])
    for (const [at, row] of [9, 2].entries())
      for (let k = 0; k < columns; k += 5) expect(y!.data[at * columns + k]).toBeCloseTo(value(row, k), 4)
    const outside = { dtype: 'i64', shape: [1], data: BigInt64Array.of(24n) } as const
    await expect(evaluate(program, { rows: outside })).rejects.toThrow(/gatherQuantized: index 24 .* out of range/)
  })
})

it('refuses codes and vectors that do not fit, naming the shapes', () => {
  const make = (x: number, bytes: number) => () =>
    trace({ x: { shape: [1, x] } }, ({ x }, builder) => {
      const codes = builder.constant(new Uint8Array(2 * bytes), [2, 1, bytes], 'u8')
      const scales = builder.constant(new Float32Array(2), [2, 1])
      return { y: matmulQuantized(x, { bits: 4, block: 32, codes, scales }) }
    })
  expect(make(32, 16)).not.toThrow()
  expect(make(20, 16)).not.toThrow()
  expect(make(33, 16)).toThrow(/matmulQuantized: the last size of x .*\[1, 33\] and \[2, 1, 16\]/)
  expect(make(32, 32)).toThrow(/matmulQuantized: expected codes \[rows, blocks, 32·4\/8\]/)
})
