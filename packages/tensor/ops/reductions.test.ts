import { describe, expect, it } from 'vitest'
import { tensor } from '../builder.js'
import { evaluate } from '../compile.js'
import { norm, std } from '../functional/statistics.js'
import { grad } from '../grad.js'
import type { Tensor } from '../tensor.js'
import { trace } from '../trace.js'

describe('reductions of nothing', () => {
  it.each(['max', 'min'] as const)('have no %s, and say so with the shape', (op) => {
    const reduce = () => trace({ x: { shape: [3, 0] } }, ({ x }) => ({ y: x[op](1) }))
    expect(reduce).toThrow(new RegExp(`${op}: a reduced dimension is empty; shapes \\[3, 0\\]`))
    const index = () => trace({ x: { shape: [0] } }, ({ x }) => ({ y: x[`arg${op}`]() }))
    expect(index).toThrow(new RegExp(`arg${op}: a reduced dimension is empty`))
  })

  it('along another dimension than the empty one give nothing', async () => {
    const program = trace({ x: { shape: [0, 3] } }, ({ x }) => ({ y: x.max(1) }))
    const { y } = await evaluate(program, { x: tensor([], [0, 3]) })
    expect([y!.shape, y!.data.length]).toEqual([[0], 0])
  })
})

/** Gradients of the sum of all first derivatives. */
async function secondDerivatives(f: (x: Tensor) => Tensor, numbers: readonly number[]): Promise<number[]> {
  const first = grad(
    trace({ x: { shape: [numbers.length] } }, ({ x }) => ({ loss: f(x) })),
    { of: 'loss', wrt: ['x'] },
  )
  const second = trace({}, (_, builder) => {
    const values = builder.inline(first)
    return { loss: values[first.outputs.find(({ name }) => name === 'd.x')!.value]!.sum() }
  })
  const outputs = await evaluate(grad(second, { of: 'loss', wrt: ['x'] }), { x: numbers })
  return [...outputs['d.x']!.data].map(Number)
}

describe('second derivatives', () => {
  it('of a product are right where factors are zero', async () => {
    // Of abc the first are bc, ac, ab; those of their sum are b + c, a + c, a + b.
    expect(await secondDerivatives((x) => x.prod(), [0, 0, 5])).toEqual([5, 5, 0])
    expect(await secondDerivatives((x) => x.prod(), [2, 3, 4])).toEqual([7, 6, 5])
  })

  it('of a running sum and of log Σ e^x', async () => {
    expect(await secondDerivatives((x) => x.square().cumsum(0).sum(), [1, 2, 3])).toEqual([6, 4, 2])
    for (const value of await secondDerivatives((x) => x.logSumExp(), [1, 2, 3])) expect(value).toBeCloseTo(0, 6)
  })

  it('of a norm are finite where it is zero', async () => {
    expect(await secondDerivatives((x) => norm(x), [0, 0])).toEqual([0, 0])
    expect(await secondDerivatives((x) => std(x), [1, 1])).toEqual([0, 0])
  })
})

it.each([[[2, 600]], [[1, 3, 512]], [[0, 512]]])(
  'the derivative of a softmax over long rows %j is that of short ones',
  async (shape) => {
    const size = shape.reduce((product, dim) => product * dim, 1)
    const columns = shape.at(-1)!
    const number = (index: number) => Math.fround(Math.sin(index * 12.9898) * 3)
    const [x, seed] = [0, 7].map((offset) => Array.from({ length: size }, (_, index) => number(index + offset))) as [
      number[],
      number[],
    ]
    const program = grad(
      trace({ x: { shape }, seed: { shape } }, ({ x, seed }) => ({ loss: x.softmax().mul(seed).sum() })),
      { of: 'loss', wrt: ['x'] },
    )
    const { 'd.x': dx } = await evaluate(program, { x: tensor(x, shape), seed: tensor(seed, shape) }, { threads: 1 })
    for (let row = 0; row < size / columns; row++) {
      const at = (numbers: readonly number[]) => numbers.slice(row * columns, (row + 1) * columns)
      const exponentials = at(x).map(Math.exp)
      const total = exponentials.reduce((sum, value) => sum + value, 0)
      const y = exponentials.map((value) => value / total)
      const mean = y.reduce((sum, value, index) => sum + value * at(seed)[index]!, 0)
      for (const [index, value] of y.entries())
        expect(dx!.data[row * columns + index]).toBeCloseTo(value * (at(seed)[index]! - mean), 6)
    }
  },
)
