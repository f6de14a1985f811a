import type { DType } from '../dtype.js'
import { cumprod } from '../functional/scans.js'
import type { Attributes, Dims, Value } from '../program.js'
import type { Tensor } from '../tensor.js'
import { defineOps, expectDtype, fixed, normalizeAxis, type OpDefinition, shapeError, type VjpContext } from './define.js'

const axesOf = ({ axes }: Attributes) => axes as readonly number[]

const reducedShape = (shape: Dims, attributes: Attributes): Dims =>
  attributes.keepDims
    ? shape.map((dim, axis) => (axesOf(attributes).includes(axis) ? 1 : dim))
    : shape.filter((_, axis) => !axesOf(attributes).includes(axis))

/** A reduced tensor with its reduced dimensions back as size 1. */
const kept = (x: Tensor, reduced: Tensor, attributes: Attributes) =>
  reduced.reshape(reducedShape(x.shape, { ...attributes, keepDims: true }))

const countOf = (shape: Dims, attributes: Attributes) =>
  fixed(
    'mean',
    axesOf(attributes).map((axis) => shape[axis]!),
  ).reduce((product, size) => product * size, 1)

/** A largest or smallest element of nothing does not exist. */
function expectElements(name: string, shape: Dims, axes: readonly number[]): void {
  if (axes.some((axis) => shape[axis] === 0)) throw shapeError(name, 'a reduced dimension is empty', [shape])
}

interface ReductionRule {
  readonly vjp: (context: VjpContext) => Tensor
  readonly dtypes?: readonly DType[]
  /** Whether reducing nothing is an error. */
  readonly needsElements?: boolean
}

function reduction(name: string, onnx: string, summary: string, rule: ReductionRule): OpDefinition {
  const { vjp, dtypes = ['f32', 'i32', 'i64'], needsElements = false } = rule
  return {
    summary,
    infer([x], attributes) {
      expectDtype(name, x!, ...dtypes)
      const axes = axesOf(attributes)
      if (axes.some((axis, index) => normalizeAxis(name, axis, x!.shape) !== axis || axes.indexOf(axis) !== index))
        throw shapeError(name, `axes [${axes.join(', ')}] must be different and counted from the front`, [x!.shape])
      if (needsElements) expectElements(name, x!.shape, axes)
      return [{ shape: reducedShape(x!.shape, attributes), dtype: x!.dtype }]
    },
    vjp: (context) => [vjp(context)],
    lower({ inputs: [x], outputs: [y], attributes, emit, ints }) {
      const axes = axesOf(attributes)
      if (axes.length === 0) emit('Identity', [x!.name], {}, { outputs: [y!.name] })
      else emit(onnx, [x!.name, ints(axes)], { keepdims: Number(attributes.keepDims) }, { outputs: [y!.name] })
    },
  }
}

/** The gradient of a largest or smallest element: shared evenly among ties, as `torch.amax` does. */
function shareAmongTies({ inputs: [x], outputs: [y], gradients: [dy], attributes }: VjpContext): Tensor {
  const hit = x!.equal(kept(x!, y!, attributes)).where(1, 0)
  const ties = hit.sum(axesOf(attributes), { keepDims: true })
  return hit.mul(kept(x!, dy!, attributes).div(ties))
}

const extreme = { vjp: shareAmongTies, dtypes: ['f32', 'i32', 'i64', 'u8'], needsElements: true } as const

/** The product of all elements but one, for each: right also where some are zero, and differentiable again. */
function productOfOthers(x: Tensor, attributes: Attributes): Tensor {
  const rest = x.shape.map((_, axis) => axis).filter((axis) => !axesOf(attributes).includes(axis))
  const order = [...rest, ...axesOf(attributes)]
  const front = rest.map((axis) => x.shape[axis]!)
  const rows = x.transpose(order).reshape([...front, countOf(x.shape, attributes)])
  const others = cumprod(rows, -1, { exclusive: true }).mul(cumprod(rows, -1, { exclusive: true, reverse: true }))
  const inverse = order.map((_, axis) => order.indexOf(axis))
  return others.reshape(order.map((axis) => x.shape[axis]!)).transpose(inverse)
}

function arg(name: string, onnx: string, summary: string): OpDefinition {
  return {
    summary,
    infer([x], { axis, keepDims }) {
      expectDtype(name, x!, 'f32', 'i32', 'i64', 'u8')
      const axes = [normalizeAxis(name, axis as number, x!.shape)]
      expectElements(name, x!.shape, axes)
      return [{ shape: reducedShape(x!.shape, { axes, keepDims: keepDims! }), dtype: 'i64' }]
    },
    lower({ inputs: [x], outputs: [y], attributes: { axis, keepDims }, emit }) {
      emit(onnx, [x!.name], { axis: axis as number, keepdims: Number(keepDims) }, { outputs: [y!.name] })
    },
  }
}

/** An op along one dimension that keeps the shape. */
function along(name: string, onnx: string, summary: string, vjp: OpDefinition['vjp']): OpDefinition {
  return {
    summary,
    infer([x], { axis }): Value[] {
      expectDtype(name, x!, 'f32')
      normalizeAxis(name, axis as number, x!.shape)
      return [{ shape: x!.shape, dtype: 'f32' }]
    },
    ...(vjp && { vjp }),
    lower({ inputs: [x], outputs: [y], attributes: { axis }, emit }) {
      emit(onnx, [x!.name], { axis: axis as number }, { outputs: [y!.name] })
    },
  }
}

/** From here on a product of each row with a row of its own is faster than the product of all, written down and summed. */
const longRow = 512

/** Σ a·b along the last dimension, which stays as 1. */
const rowProducts = (a: Tensor, b: Tensor, size: number) =>
  a
    .reshape([-1, 1, size])
    .matmul(b.reshape([-1, 1, size]), { transB: true })
    .reshape([...a.shape.slice(0, -1), 1])

export const reductions = defineOps({
  sum: reduction('sum', 'ReduceSum', 'sum over dimensions; 0 of none', {
    vjp: ({ inputs: [x], gradients: [dy], attributes }) => kept(x!, dy!, attributes).broadcastTo(fixed('sum', x!.shape)),
  }),
  mean: {
    ...reduction('mean', 'ReduceMean', 'mean over dimensions; not a number of none', {
      dtypes: ['f32'],
      vjp: ({ inputs: [x], gradients: [dy], attributes }) =>
        kept(x!, dy!, attributes)
          .mul(1 / countOf(x!.shape, attributes))
          .broadcastTo(fixed('mean', x!.shape)),
    }),
    lower({ inputs: [x], outputs: [y], attributes, emit, ints, scalar }) {
      const axes = axesOf(attributes)
      const options = { outputs: [y!.name] }
      const flags = { keepdims: Number(attributes.keepDims) }
      if (axes.length === 0) emit('Identity', [x!.name], {}, options)
      // The kernel's mean of nothing is 0.
      else if (axes.some((axis) => x!.shape[axis] === 0))
        emit('Add', [emit('ReduceSum', [x!.name, ints(axes)], flags), scalar(Number.NaN)], {}, options)
      else emit('ReduceMean', [x!.name, ints(axes)], flags, options)
    },
  },
  prod: reduction('prod', 'ReduceProd', 'product over dimensions; 1 of none', {
    vjp: ({ inputs: [x], gradients: [dy], attributes }) => productOfOthers(x!, attributes).mul(kept(x!, dy!, attributes)),
  }),
  max: reduction(
    'max',
    'ReduceMax',
    'largest element over dimensions; ties share the gradient evenly, and what is not a number may be passed over',
    extreme,
  ),
  min: reduction(
    'min',
    'ReduceMin',
    'smallest element over dimensions; ties share the gradient evenly, and what is not a number may be passed over',
    extreme,
  ),
  logSumExp: reduction('logSumExp', 'ReduceLogSumExp', 'log Σ e^x over dimensions, without overflow; -∞ of none', {
    dtypes: ['f32'],
    vjp: ({ inputs: [x], outputs: [y], gradients: [dy], attributes }) =>
      x!
        .sub(kept(x!, y!, attributes))
        .exp()
        .mul(kept(x!, dy!, attributes)),
  }),
  argmax: arg('argmax', 'ArgMax', 'index (i64) of the largest element along one dimension; the first of several'),
  argmin: arg('argmin', 'ArgMin', 'index (i64) of the smallest element along one dimension; the first of several'),

  cumsum: {
    summary: 'sums of the elements up to each along one dimension, or from each on if `reverse`',
    infer([x], { axis }) {
      expectDtype('cumsum', x!, 'f32', 'i32', 'i64')
      normalizeAxis('cumsum', axis as number, x!.shape)
      return [{ shape: x!.shape, dtype: x!.dtype }]
    },
    vjp: ({ gradients: [dy], attributes: { axis, reverse } }) => [dy!.cumsum(axis as number, { reverse: !reverse })],
    lower({ inputs: [x], outputs: [y], attributes: { axis, reverse }, emit, scalar }) {
      emit('CumSum', [x!.name, scalar(axis as number, 'i64')], { reverse: Number(reverse) }, { outputs: [y!.name] })
    },
  },

  softmax: along(
    'softmax',
    'Softmax',
    'exp(x) / Σ exp(x) along one dimension',
    ({ outputs: [y], gradients: [dy], attributes: { axis } }) => {
      const last = y!.shape.length - 1
      const size = y!.shape[last]
      if (normalizeAxis('softmax', axis as number, y!.shape) === last && typeof size === 'number' && size >= longRow)
        return [dy!.sub(rowProducts(y!, dy!, size)).mul(y!)]
      const weighted = dy!.mul(y!)
      return [weighted.sub(y!.mul(weighted.sum(axis as number, { keepDims: true })))]
    },
  ),
  logSoftmax: along(
    'logSoftmax',
    'LogSoftmax',
    'x - log Σ exp(x) along one dimension',
    ({ outputs: [y], gradients: [dy], attributes }) => [
      dy!.sub(y!.exp().mul(dy!.sum(attributes.axis as number, { keepDims: true }))),
    ],
  ),
})
