import type { Builder, Operand } from './builder.js'
import { type DType, isFloat } from './dtype.js'
import { ElementwiseMethods } from './elementwise-methods.js'
import { TensorError } from './errors.js'
import { normalizeAxis } from './ops/define.js'
import type { OpName } from './ops/index.js'
import type { Attributes, Dim, Dims } from './program.js'

export interface MatmulOptions {
  /** Use the transpose of the last two dimensions of the left operand. */
  readonly transA?: boolean
  /** Use the transpose of the last two dimensions of the right operand. */
  readonly transB?: boolean
  /** Factor on the product. Default 1. */
  readonly alpha?: number
}

export interface ReduceOptions {
  /** Keep reduced dimensions with size 1. Default false. */
  readonly keepDims?: boolean
}

/**
 * A symbolic tensor: a value of a program that is being traced. It has a shape and a dtype but no numbers.
 * Methods record an op and return its result; names and semantics are PyTorch's.
 */
export class Tensor extends ElementwiseMethods {
  constructor(
    readonly builder: Builder,
    /** Index into the program's values. */
    readonly id: number,
    readonly shape: Dims,
    readonly dtype: DType,
  ) {
    super()
  }

  get rank(): number {
    return this.shape.length
  }

  /** Elementwise `this ? yes : no`; `this` is bool. */
  where(yes: Operand, no: Operand): Tensor {
    const dtype = typeof yes === 'number' ? (typeof no === 'number' ? 'f32' : no.dtype) : yes.dtype
    return this.record('where', [this.builder.lift(yes, dtype), this.builder.lift(no, dtype)])
  }

  cast(dtype: DType): Tensor {
    return dtype === this.dtype ? this : this.record('cast', [], { to: dtype })
  }
  /** The same value, through which no gradient flows. */
  stopGradient(): Tensor {
    return this.record('stopGradient')
  }

  /** Matrix product over the last two dimensions; leading dimensions broadcast. */
  matmul(other: Operand, options: MatmulOptions = {}): Tensor {
    const { transA = false, transB = false, alpha = 1 } = options
    return this.record('matmul', [this.builder.lift(other)], { transA, transB, alpha })
  }

  /** One dimension may be -1 (inferred). */
  reshape(shape: readonly Dim[]): Tensor {
    if (shape.length === this.rank && shape.every((dim, axis) => dim === this.shape[axis])) return this
    return this.record('reshape', [], {
      shape: shape.map((dim) => (typeof dim === 'number' ? dim : -1)),
      symbols: JSON.stringify(shape),
    })
  }
  /** Reorders dimensions: result dimension i is dimension `order[i]`. Default: swaps the last two. */
  transpose(order?: readonly number[]): Tensor {
    const axes = this.shape.map((_, axis) => axis)
    return this.record('transpose', [], { order: order ?? [...axes.slice(0, -2), axes.at(-1) ?? 0, axes.at(-2) ?? 0] })
  }
  /** Repeats size-1 dimensions (and adds leading ones) up to `shape`. */
  broadcastTo(shape: readonly number[]): Tensor {
    return this.record('broadcastTo', [], { shape })
  }
  /** Elements `start` (inclusive) to `end` (exclusive) along `axis`. */
  slice(axis: number, start: number, end: number): Tensor {
    return this.record('slice', [], { axis, start, end })
  }
  /** Pieces of the given sizes along `axis`. */
  split(sizes: readonly number[], axis = -1): Tensor[] {
    return this.builder.apply('split', [this], { sizes, axis })
  }

  /** Integers and truth values are summed as i64. */
  sum(axes?: number | readonly number[], options: ReduceOptions = {}): Tensor {
    return this.#counted().#reduce('sum', axes, options)
  }
  mean(axes?: number | readonly number[], options: ReduceOptions = {}): Tensor {
    return this.#reduce('mean', axes, options)
  }
  /** Integers and truth values are multiplied as i64. */
  prod(axes?: number | readonly number[], options: ReduceOptions = {}): Tensor {
    return this.#counted().#reduce('prod', axes, options)
  }
  /** Largest element, as `torch.amax`; the gradient is shared evenly among ties. */
  max(axes?: number | readonly number[], options: ReduceOptions = {}): Tensor {
    return this.#reduce('max', axes, options)
  }
  /** Smallest element, as `torch.amin`; the gradient is shared evenly among ties. */
  min(axes?: number | readonly number[], options: ReduceOptions = {}): Tensor {
    return this.#reduce('min', axes, options)
  }
  /** Index (i64) of the largest element along `axis`, the first of several; without an axis, of all elements in order. */
  argmax(axis?: number, options: ReduceOptions = {}): Tensor {
    return this.#arg('argmax', axis, options)
  }
  /** Index (i64) of the smallest element, likewise. */
  argmin(axis?: number, options: ReduceOptions = {}): Tensor {
    return this.#arg('argmin', axis, options)
  }
  /** log Σ e^this without overflow, as `torch.logsumexp`. */
  logSumExp(axes?: number | readonly number[], options: ReduceOptions = {}): Tensor {
    return this.#reduce('logSumExp', axes, options)
  }
  /** How many elements are not zero (i64). */
  countNonzero(axes?: number | readonly number[], options: ReduceOptions = {}): Tensor {
    return this.cast('bool').sum(axes, options)
  }
  /** Whether any element is not zero; false of none. */
  any(axes?: number | readonly number[], options: ReduceOptions = {}): Tensor {
    return this.countNonzero(axes, options).greater(0)
  }
  /** Whether no element is zero; true of none. */
  all(axes?: number | readonly number[], options: ReduceOptions = {}): Tensor {
    return this.logicalNot().any(axes, options).logicalNot()
  }
  /** Sums of the elements up to each along `axis`; `reverse`: from each on. Integers are summed as i64. */
  cumsum(axis: number, { reverse = false }: { readonly reverse?: boolean } = {}): Tensor {
    return this.#counted().record('cumsum', [], { axis, reverse })
  }
  softmax(axis = -1): Tensor {
    return this.record('softmax', [], { axis })
  }
  logSoftmax(axis = -1): Tensor {
    return this.record('logSoftmax', [], { axis })
  }

  /** Rows of `this` [rows, ...] at integer `indices` [...]: result [...indices, ...]. The embedding look-up. */
  gatherRows(indices: Tensor): Tensor {
    return this.record('gatherRows', [indices])
  }
  /** `this` [rows, ...] with `updates` [...indices, ...] added at rows `indices`, in a fixed order. */
  scatterAddRows(indices: Tensor, updates: Tensor): Tensor {
    return this.record('scatterAddRows', [indices, updates])
  }
  /** Slices at integer `indices` [n] along `axis`, as `torch.index_select`. */
  indexSelect(axis: number, indices: Tensor): Tensor {
    return this.record('indexSelect', [indices], { axis })
  }
  /** Elements of the last dimension at `indices` (same rank, other dimensions equal), as `torch.gather(…, -1, …)`. */
  takeAlongLast(indices: Tensor): Tensor {
    return this.record('takeAlongLast', [indices])
  }
  /** `this` with `updates` added at `indices` of the last dimension, the adjoint of `takeAlongLast`. */
  scatterAddLast(indices: Tensor, updates: Tensor): Tensor {
    return this.record('scatterAddLast', [indices, updates])
  }

  #reduce(op: OpName, axes: number | readonly number[] | undefined, { keepDims = false }: ReduceOptions): Tensor {
    const list = axes === undefined ? this.shape.map((_, axis) => axis) : typeof axes === 'number' ? [axes] : axes
    return this.record(op, [], { axes: list.map((axis) => normalizeAxis(op, axis, this.shape)), keepDims })
  }

  #arg(op: 'argmax' | 'argmin', axis: number | undefined, { keepDims = false }: ReduceOptions): Tensor {
    if (axis !== undefined) return this.record(op, [], { axis, keepDims })
    const index = this.reshape([-1]).record(op, [], { axis: 0, keepDims: false })
    return keepDims ? index.reshape(this.shape.map(() => 1)) : index
  }

  /** As i64, if these are no real numbers: sums of small integers would overflow. */
  #counted(): Tensor {
    return isFloat(this.dtype) ? this : this.cast('i64')
  }

  record(op: OpName, rest: readonly Tensor[] = [], attributes: Attributes = {}): Tensor {
    const [result] = this.builder.apply(op, [this, ...rest], attributes)
    if (!result) throw new TensorError('SHAPE_MISMATCH', `${op} has no result`)
    return result
  }
}
