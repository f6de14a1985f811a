import { expect, it } from 'vitest'
import { evaluate } from '../compile.js'
import { grad } from '../grad.js'
import type { Tensor } from '../tensor.js'
import { trace } from '../trace.js'
import { lightOperands } from './light-operands.js'

const opsOf = (body: (tensors: { x: Tensor; y: Tensor }) => Tensor) => {
  const program = trace({ x: { shape: [2, 3] }, y: { shape: [3] } }, (tensors) => ({ z: body(tensors) }))
  return lightOperands(program).nodes.map(({ op }) => op)
}

it('a product with 1 is no product, and no operand is made large to be one', () => {
  expect(opsOf(({ x }) => x.mul(x.builder.scalar(1).broadcastTo([2, 3])))).toEqual([])
  expect(opsOf(({ x }) => x.builder.scalar(1).mul(x).div(1).exp())).toEqual(['exp'])
  expect(opsOf(({ x, y }) => y.broadcastTo([2, 3]).sub(x))).toEqual(['sub'])
})

it('a result keeps its shape', () => {
  expect(
    opsOf(({ x, y }) =>
      y
        .broadcastTo([2, 3])
        .add(y.broadcastTo([2, 3]))
        .mul(x),
    ),
  ).toEqual(['broadcastTo', 'add', 'mul'])
  expect(opsOf(({ y }) => y.mul(y.builder.scalar(1).broadcastTo([2, 3])))).toEqual(['broadcastTo', 'mul'])
})

it('the derivative of a sum of products has one pass for each factor, and the numbers it had', async () => {
  const program = trace({ x: { shape: [2] }, y: { shape: [2] } }, ({ x, y }) => ({ loss: x.mul(y).sum() }))
  const derivative = grad(program, { of: 'loss', wrt: ['x', 'y'] })
  expect(lightOperands(derivative).nodes.map(({ op }) => op)).toEqual(['mul', 'sum'])
  const { 'd.x': dx, 'd.y': dy } = await evaluate(derivative, { x: [1, 2], y: [3, 4] }, { threads: 1 })
  expect([...dx!.data, ...dy!.data]).toEqual([3, 4, 1, 2])
})
