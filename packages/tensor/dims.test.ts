import { expect, it } from 'vitest'
import { evaluate } from './compile.js'
import { dimOf, productOf, quotient, substitute } from './dims.js'
import { arrayOf, tensor } from './index.js'
import { trace } from './trace.js'

it('sizes multiply and divide as products of names and a number', () => {
  const product = productOf(['batch*4', 3, 'length'])
  expect(product).toEqual({ symbols: ['batch', 'length'], factor: 12 })
  expect(dimOf(product)).toBe('batch*length*12')
  expect(dimOf(quotient(product, productOf(['length', 6]))!)).toBe('batch*2')
  expect(quotient(product, productOf(['other']))).toBeUndefined()
  expect(quotient(product, productOf([5]))).toBeUndefined()
  expect(substitute('batch*length*12', new Map([['batch', 2]]))).toBe('length*24')
  expect(
    substitute(
      'batch*length*12',
      new Map<string, number>([
        ['batch', 2],
        ['length', 3],
      ]),
    ),
  ).toBe(72)
})

it('a batch of unknown size is flattened into rows and back', async () => {
  const program = trace({ x: { shape: ['batch', 2, 3] } }, ({ x }) => {
    const rows = x.reshape([-1, 3])
    expect(rows.shape).toEqual(['batch*2', 3])
    return { rows, y: rows.mul(2).reshape(['batch', 2, 3]) }
  })
  const { rows, y } = await evaluate(program, { x: tensor([1, 2, 3, 4, 5, 6], [1, 2, 3]) })
  expect([rows!.shape, y!.shape]).toEqual([
    [2, 3],
    [1, 2, 3],
  ])
  expect(y!.data).toEqual(arrayOf('f32', [2, 4, 6, 8, 10, 12]))
})

it('what cannot hold for every size is refused', () => {
  const shapes = [['batch', 5], [-1, 4], ['other', 2, 3], [6], [Number.NaN, 3]]
  for (const shape of shapes)
    expect(() => trace({ x: { shape: ['batch', 2, 3] } }, ({ x }) => ({ y: x.reshape(shape) }))).toThrow(/reshape/)
  const constant = (shape: number[]) => () => trace({}, (_, builder) => ({ y: builder.constant([1, 2], shape) }))
  expect(constant([3])).toThrow(/constant: 2 elements do not make the shape \[3\]/)
})
