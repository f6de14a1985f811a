import type { Attributes, Dims } from '../program.js'
import type { Tensor } from '../tensor.js'
import { defineOps, expectDtype, fixed, normalizeAxis, type OpDefinition, shapeError, type VjpContext } from './define.js'

const reducedShape = (shape: Dims, { axes, keepDims }: Attributes): Dims =>
  keepDims
    ? shape.map((dim, axis) => ((axes as readonly number[]).includes(axis) ? 1 : dim))
    : shape.filter((_, axis) => !(axes as readonly number[]).includes(axis))

/** A reduced tensor with its reduced dimensions back as size 1. */
const kept = (x: Tensor, reduced: Tensor, attributes: Attributes) =>
  reduced.reshape(reducedShape(x.shape, { ...attributes, keepDims: true }))

const countOf = (shape: Dims, { axes }: Attributes) =>
  fixed(
    'mean',
    (axes as readonly number[]).map((axis) => shape[axis]!),
  ).reduce((product, size) => product * size, 1)

function reduction(name: string, onnx: string, summary: string, vjp: (context: VjpContext) => Tensor): OpDefinition {
  return {
    summary,
    infer([x], attributes) {
      expectDtype(name, x!, 'f32', 'i32', 'i64')
      const axes = attributes.axes as readonly number[]
      if (axes.some((axis, index) => normalizeAxis(name, axis, x!.shape) !== axis || axes.indexOf(axis) !== index))
        throw shapeError(name, `axes [${axes.join(', ')}] must be different and counted from the front`, [x!.shape])
      return [{ shape: reducedShape(x!.shape, attributes), dtype: x!.dtype }]
    },
    vjp: (context) => [vjp(context)],
    lower({ inputs: [x], outputs: [y], attributes: { axes, keepDims }, emit, ints }) {
      const list = axes as readonly number[]
      if (list.length === 0) emit('Identity', [x!.name], {}, { outputs: [y!.name] })
      else emit(onnx, [x!.name, ints(list)], { keepdims: Number(keepDims) }, { outputs: [y!.name] })
    },
  }
}

export const reductions = defineOps({
  sum: reduction('sum', 'ReduceSum', 'sum over dimensions', ({ inputs: [x], gradients: [dy], attributes }) =>
    kept(x!, dy!, attributes).broadcastTo(fixed('sum', x!.shape)),
  ),
  mean: reduction('mean', 'ReduceMean', 'mean over dimensions', ({ inputs: [x], gradients: [dy], attributes }) =>
    kept(x!, dy!, attributes)
      .mul(1 / countOf(x!.shape, attributes))
      .broadcastTo(fixed('mean', x!.shape)),
  ),
  max: reduction(
    'max',
    'ReduceMax',
    'largest element over dimensions; ties share the gradient evenly',
    ({ inputs: [x], outputs: [y], gradients: [dy], attributes }) => {
      const hit = x!.equal(kept(x!, y!, attributes)).where(1, 0)
      const ties = hit.sum(attributes.axes as readonly number[], { keepDims: true })
      return hit.mul(kept(x!, dy!, attributes).div(ties))
    },
  ),

  softmax: {
    summary: 'exp(x) / Σ exp(x) along one dimension',
    infer([x], { axis }) {
      expectDtype('softmax', x!, 'f32')
      normalizeAxis('softmax', axis as number, x!.shape)
      return [{ shape: x!.shape, dtype: 'f32' }]
    },
    vjp({ outputs: [y], gradients: [dy], attributes: { axis } }) {
      const weighted = dy!.mul(y!)
      return [weighted.sub(y!.mul(weighted.sum(axis as number, { keepDims: true })))]
    },
    lower({ inputs: [x], outputs: [y], attributes: { axis }, emit }) {
      emit('Softmax', [x!.name], { axis: axis as number }, { outputs: [y!.name] })
    },
  },

  logSoftmax: {
    summary: 'x - log Σ exp(x) along one dimension',
    infer([x], { axis }) {
      expectDtype('logSoftmax', x!, 'f32')
      normalizeAxis('logSoftmax', axis as number, x!.shape)
      return [{ shape: x!.shape, dtype: 'f32' }]
    },
    vjp({ outputs: [y], gradients: [dy], attributes: { axis } }) {
      return [dy!.sub(y!.exp().mul(dy!.sum(axis as number, { keepDims: true })))]
    },
    lower({ inputs: [x], outputs: [y], attributes: { axis }, emit }) {
      emit('LogSoftmax', [x!.name], { axis: axis as number }, { outputs: [y!.name] })
    },
  },
})
