import fc from 'fast-check'
import { expect, it } from 'vitest'
import { evaluate } from '../compile.js'
import { grad } from '../grad.js'
import { trace } from '../trace.js'
import { einsum } from './index.js'

interface Operand {
  readonly labels: readonly string[]
  readonly shape: readonly number[]
  readonly data: readonly number[]
}

/** Every combination of the labels' values, one term each; a dimension of size 1 stands still. */
function naive(operands: readonly Operand[], output: readonly string[]): number[] {
  const sizes = new Map<string, number>()
  for (const { labels, shape } of operands)
    for (const [axis, label] of labels.entries()) {
      const known = sizes.get(label) ?? 1
      sizes.set(label, known === 1 ? shape[axis]! : known)
    }
  const labels = [...new Set([...output, ...sizes.keys()])]
  const result = new Array<number>(output.reduce((size, label) => size * sizes.get(label)!, 1)).fill(0)
  const place = new Map<string, number>()
  const flat = (names: readonly string[], shape: readonly number[]) =>
    names.reduce((total, label, axis) => total * shape[axis]! + (shape[axis] === 1 ? 0 : place.get(label)!), 0)
  const walk = (depth: number): void => {
    if (depth === labels.length) {
      const term = operands.reduce((product, { labels: own, shape, data }) => product * data[flat(own, shape)]!, 1)
      result[
        flat(
          output,
          output.map((label) => sizes.get(label)!),
        )
      ]! += term
      return
    }
    for (let i = 0; i < sizes.get(labels[depth]!)!; i++) {
      place.set(labels[depth]!, i)
      walk(depth + 1)
    }
  }
  walk(0)
  return result
}

/** Operands over few letters with small sizes (0 and 1 among them), and a result of some of the letters. */
const contractions = fc
  .record({
    sizes: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 4, maxLength: 4 }),
    operands: fc.array(fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 4 }), { minLength: 1, maxLength: 3 }),
    ones: fc.infiniteStream(fc.integer({ min: 0, max: 9 })),
    numbers: fc.infiniteStream(fc.integer({ min: -8, max: 8 })),
    chosen: fc.shuffledSubarray(['a', 'b', 'c', 'd']),
  })
  .map(({ sizes, operands, ones, numbers, chosen }) => {
    const made = operands.map((labels): Operand => {
      // A letter that comes twice in one operand has one size there.
      const own = new Map(labels.map((label) => [label, ones.next().value === 0 ? 1 : sizes['abcd'.indexOf(label)]!]))
      const shape = labels.map((label) => own.get(label)!)
      const data = Array.from({ length: shape.reduce((product, size) => product * size, 1) }, () => numbers.next().value! / 4)
      return { labels, shape, data }
    })
    return { operands: made, output: chosen.filter((label) => made.some(({ labels }) => labels.includes(label))) }
  })

const equationOf = (operands: readonly Operand[], output: readonly string[]) =>
  `${operands.map(({ labels }) => labels.join('')).join(',')}->${output.join('')}`

it('equals the sum of all products, for random equations, and so does its gradient', async () => {
  await fc.assert(
    fc.asyncProperty(contractions, async ({ operands, output }) => {
      const inputs = Object.fromEntries(operands.map(({ shape }, i) => [`x${i}`, { shape }]))
      const program = trace<string>(inputs, (given) => {
        const y = einsum(equationOf(operands, output), ...operands.map((_, i) => given[`x${i}`]!))
        return { y, loss: y.sum() }
      })
      const feeds = Object.fromEntries(operands.map(({ data }, i) => [`x${i}`, data]))
      const got = await evaluate(grad(program, { of: 'loss', wrt: ['x0'] }), feeds)
      const expected = naive(operands, output)
      expect(got.y!.data.length).toBe(expected.length)
      for (const [i, value] of expected.entries()) expect(Number(got.y!.data[i])).toBeCloseTo(value, 3)
      // The sum is linear in the first operand unless a size-1 dimension broadcasts, and then still.
      const [first, ...rest] = operands
      const total = (data: readonly number[]) =>
        naive([{ ...first!, data }, ...rest], output).reduce((sum, value) => sum + value, 0)
      for (const i of first!.data.keys()) {
        const slope = total(first!.data.map((value, j) => (i === j ? value + 1 : value))) - total(first!.data)
        expect(Number(got['d.x0']!.data[i])).toBeCloseTo(slope, 3)
      }
    }),
    { numRuns: process.env.ENIGMA_SOAK ? 1000 : 50 },
  )
})

const shapeOf = (equation: string, ...shapes: number[][]) => {
  const inputs = Object.fromEntries(shapes.map((shape, i) => [`x${i}`, { shape }]))
  const program = trace<string>(inputs, (given) => ({ y: einsum(equation, ...shapes.map((_, i) => given[`x${i}`]!)) }))
  return program.values[program.outputs[0]!.value]!.shape
}

it('takes ellipses, and makes up the result where none is given, in alphabetical order', async () => {
  expect(shapeOf('b...ij,...jk->...bik', [2, 5, 3, 4], [1, 4, 6])).toEqual([5, 2, 3, 6])
  expect(shapeOf('ba,ca', [2, 3], [4, 3])).toEqual([2, 4])
  expect(shapeOf('...b,...a', [7, 2], [7, 3])).toEqual([7, 3, 2])
  expect(shapeOf('ii', [3, 3])).toEqual([])
  expect(shapeOf(' i j -> j i ', [2, 3])).toEqual([3, 2])
  expect(shapeOf('...->...', [2, 3])).toEqual([2, 3])
  const program = trace({ x: { shape: [2, 2, 3] }, y: { shape: [3, 2] } }, ({ x, y }) => ({ z: einsum('...ij,jk->...ik', x, y) }))
  const { z } = await evaluate(program, { x: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], y: [1, 0, 0, 1, 1, 1] })
  expect(Array.from(z!.data, Number)).toEqual([4, 5, 10, 11, 16, 17, 22, 23])
})

it('is one matrix product where it can be', () => {
  const program = trace({ a: { shape: [2, 3, 4] }, b: { shape: [2, 3, 5] } }, ({ a, b }) => ({ y: einsum('bji,bjk->bik', a, b) }))
  expect(program.nodes.map(({ op }) => op)).toEqual(['transpose', 'matmul'])
})

it.each([
  ['ij,jk->ik', [[2, 3]], /names 2 operands, given 1/],
  [
    'ij,jk->ik',
    [
      [2, 3],
      [4, 5],
    ],
    /einsum: 'ij,jk->ik': 'j' is 3 in one place and 4 in another; shapes \[2, 3\] and \[4, 5\]/,
  ],
  ['ijk->i', [[2, 3]], /operand 0 has 2 dimensions, 'ijk' names 3/],
  ['i->j', [[2]], /the result names 'j' twice, or no operand has it/],
  ['i->ii', [[2]], /the result names 'i' twice/],
  ['i1->i', [[2, 3]], /'i1' is not made of letters/],
  ['i->i->i', [[2]], /'->' comes more than once/],
])('says what is wrong with %s', (equation, shapes, message) => {
  expect(() => shapeOf(equation, ...shapes)).toThrow(message)
})
