import type { Builder } from '../builder.js'
import type { DType } from '../dtype.js'
import { TensorError } from '../errors.js'
import type { Tensor } from '../tensor.js'

/** `value` everywhere. */
export function full(builder: Builder, shape: readonly number[], value: number, dtype: DType = 'f32'): Tensor {
  const scalar = builder.scalar(value, dtype)
  return shape.length === 0 ? scalar : scalar.broadcastTo(shape)
}

export function zeros(builder: Builder, shape: readonly number[], dtype?: DType): Tensor {
  return full(builder, shape, 0, dtype)
}

export function ones(builder: Builder, shape: readonly number[], dtype?: DType): Tensor {
  return full(builder, shape, 1, dtype)
}

/** start, start + step, … before end; i64 as in PyTorch unless told otherwise. */
export function arange(builder: Builder, start: number, end: number, step = 1, dtype: DType = 'i64'): Tensor {
  if (!(step !== 0 && (end - start) / step >= 0))
    throw new TensorError('SHAPE_MISMATCH', `arange: no way from ${start} to ${end} in steps of ${step}.`)
  const count = Math.ceil((end - start) / step)
  return builder.constant(
    Array.from({ length: count }, (_, i) => start + i * step),
    [count],
    dtype,
  )
}

/** `count` numbers from start to end, both included, at equal distances. */
export function linspace(builder: Builder, start: number, end: number, count: number): Tensor {
  const at = (i: number) => (count === 1 ? start : start + ((end - start) * i) / (count - 1))
  return builder.constant(
    Array.from({ length: count }, (_, i) => at(i)),
    [count],
  )
}

/** The identity matrix, or ones on the main diagonal of [rows, columns]. */
export function eye(builder: Builder, rows: number, columns = rows, dtype: DType = 'f32'): Tensor {
  const data = Array.from({ length: rows * columns }, (_, i) => Number(Math.floor(i / columns) === i % columns))
  return builder.constant(data, [rows, columns], dtype)
}

/** A dimension of `classes` zeros with a one at each integer index; all zeros where the index is no class. i64 as in PyTorch. */
export function oneHot(indices: Tensor, classes: number, dtype: DType = 'i64'): Tensor {
  const wide = indices.unsqueeze(-1).cast('i64')
  return wide.equal(arange(indices.builder, 0, classes)).cast(dtype)
}
