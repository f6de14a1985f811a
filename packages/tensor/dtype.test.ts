import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { arrayOf, tensor } from './builder.js'
import { evaluate } from './compile.js'
import { type DType, dtypes, type HostTensor } from './dtype.js'
import { grad } from './grad.js'
import { fromFloat32, toFloat32 } from './halves.js'
import type { Tensor } from './tensor.js'
import { elsewhere } from './testing/elsewhere.js'
import { trace } from './trace.js'

const all = Object.keys(dtypes) as DType[]

/** The result of a function of one tensor. */
async function apply(x: HostTensor, f: (x: Tensor) => Tensor): Promise<HostTensor> {
  const { y } = await evaluate(
    trace({ x }, (inputs) => ({ y: f(inputs.x) })),
    { x },
  )
  return y!
}
const numbers = (x: HostTensor) =>
  x.dtype === 'f16' || x.dtype === 'bf16' ? [...toFloat32(x)] : Array.from(x.data as ArrayLike<number | bigint>, Number)

describe('casts', () => {
  const pairs = all.flatMap((from) => all.map((to) => [from, to] as const))

  it.each(pairs)('from %s to %s keep small whole numbers', async (from, to) => {
    const x = tensor([0, 1, 2, 3], [4], from)
    const expected = from === 'bool' || to === 'bool' ? [0, 1, 1, 1] : [0, 1, 2, 3]
    const y = await apply(x, (t) => t.cast(to))
    expect(y.dtype).toBe(to)
    expect(numbers(y)).toEqual(expected)
  })

  it('from numbers to integers drop the fraction, to truth ask whether it is zero', async () => {
    const x = tensor([2.9, -2.9, 0.5, -0, 1e9])
    expect(numbers(await apply(x, (t) => t.cast('i32')))).toEqual([2, -2, 0, 0, 1e9])
    expect(numbers(await apply(x, (t) => t.cast('i64')))).toEqual([2, -2, 0, 0, 1e9])
    expect(numbers(await apply(x, (t) => t.cast('bool')))).toEqual([1, 1, 1, 0, 1])
    expect(numbers(await apply(tensor([Number.NaN]), (t) => t.cast('bool')))).toEqual([1])
  })

  it.each(['f16', 'bf16'] as const)('to %s round as the conversion of arrays does, ties to even', async (half) => {
    await fc.assert(
      fc.asyncProperty(fc.float32Array({ minLength: 1, noNaN: true, max: 60000, min: -60000 }), async (values) => {
        const x: HostTensor = { dtype: 'f32', shape: [values.length], data: values }
        const { data } = await apply(x, (t) => t.cast(half))
        expect(data).toEqual(fromFloat32(values, half))
        const wide = await apply({ dtype: half, shape: [values.length], data }, (t) => t.cast('f32'))
        expect(wide.data).toEqual(toFloat32({ dtype: half, shape: [values.length], data }))
      }),
      { numRuns: 15 },
    )
  })

  it('of halves let gradients through in f32, however often the half is used', async () => {
    const program = trace({ x: { shape: [3] } }, ({ x }) => {
      const half = x.cast('bf16')
      return {
        loss: half
          .cast('f32')
          .mul(half.cast('f32'))
          .add(half.reshape([3]).cast('f32'))
          .sum(),
      }
    })
    const { 'd.x': d } = await evaluate(grad(program, { of: 'loss', wrt: ['x'] }), { x: [1, 1 / 3, -2] })
    const third = toFloat32({ dtype: 'bf16', shape: [1], data: fromFloat32(Float32Array.of(1 / 3), 'bf16') })[0]!
    expect([...d!.data]).toEqual([3, 2 * third + 1, -3].map(Math.fround))
  })

  it('of integers stop gradients', async () => {
    const program = trace({ x: { shape: [2] } }, ({ x }) => ({ loss: x.cast('i64').cast('f32').mul(x).sum() }))
    const { 'd.x': d } = await evaluate(grad(program, { of: 'loss', wrt: ['x'] }), { x: [2.5, -3.5] })
    expect([...d!.data]).toEqual([2, -3])
  })
})

describe('numbers of a dtype', () => {
  it('are rounded to halves, and to true or false', () => {
    expect(arrayOf('f16', [1, -2, 65504])).toEqual(Uint16Array.of(0x3c00, 0xc000, 0x7bff))
    expect(arrayOf('bf16', [1, -2.5])).toEqual(Uint16Array.of(0x3f80, 0xc020))
    expect(arrayOf('bool', [0, 7, -1])).toEqual(Uint8Array.of(0, 1, 1))
    expect(() => toFloat32(tensor([1], [1], 'i32'))).toThrow(/toFloat32: expected f16, bf16 or f32, got i32/)
  })

  it('with a fraction do not pass for integers', () => {
    const adding = () => trace({ x: { shape: [2], dtype: 'i64' } }, ({ x }) => ({ y: x.add(0.5) }))
    expect(adding).toThrow(/0.5 is no i64. cast\(\) the tensor to f32 first/)
  })
})

describe('operands of a dtype without a kernel', () => {
  const on = (dtype: DType, f: (x: Tensor) => Tensor) => () =>
    trace({ x: { shape: [2], dtype } }, ({ x }) => ({ y: elsewhere(() => f(x)) }))
  it.each([
    ['exp', 'i32', (x: Tensor) => x.exp(), /exp: expected f32, got i32\[[^\]]*\]\. Use cast\(\) first\. \(at \/elsewhere\.js:1:/],
    ['neg', 'u8', (x: Tensor) => x.neg(), /neg: expected f32 or i32 or i64, got u8/],
    ['add', 'bool', (x: Tensor) => x.add(x), /add: expected .*, got bool/],
    ['mul', 'f16', (x: Tensor) => x.mul(x), /mul: expected .*, got f16/],
    ['mean', 'i64', (x: Tensor) => x.mean(), /mean: expected f32, got i64/],
    ['less', 'bool', (x: Tensor) => x.less(x), /less: expected .*, got bool/],
    ['add', 'i32 and f32', (x: Tensor) => x.cast('i32').add(x.cast('f32')), /add: expected i32, got f32/],
  ])('are refused by %s of %s, naming the op, the dtype and the line', (_op, dtype, f, message) => {
    expect(on(dtype.split(' ')[0] as DType, f)).toThrow(message)
  })
})
