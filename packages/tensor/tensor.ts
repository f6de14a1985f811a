import type { Builder, Operand } from './builder.js'
import type { DType } from './dtype.js'
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
export class Tensor {
  constructor(
    readonly builder: Builder,
    /** Index into the program's values. */
    readonly id: number,
    readonly shape: Dims,
    readonly dtype: DType,
  ) {}

  get rank(): number {
    return this.shape.length
  }

  add(other: Operand): Tensor {
    return this.#binary('add', other)
  }
  sub(other: Operand): Tensor {
    return this.#binary('sub', other)
  }
  mul(other: Operand): Tensor {
    return this.#binary('mul', other)
  }
  div(other: Operand): Tensor {
    return this.#binary('div', other)
  }
  pow(exponent: Operand): Tensor {
    return this.#binary('pow', exponent)
  }
  maximum(other: Operand): Tensor {
    return this.#binary('maximum', other)
  }
  minimum(other: Operand): Tensor {
    return this.#binary('minimum', other)
  }
  equal(other: Operand): Tensor {
    return this.#binary('equal', other)
  }
  less(other: Operand): Tensor {
    return this.#binary('less', other)
  }
  greater(other: Operand): Tensor {
    return this.#binary('greater', other)
  }
  /** Elementwise `this ? yes : no`; `this` is bool. */
  where(yes: Operand, no: Operand): Tensor {
    const dtype = typeof yes === 'number' ? (typeof no === 'number' ? 'f32' : no.dtype) : yes.dtype
    return this.#one('where', [this.builder.lift(yes, dtype), this.builder.lift(no, dtype)])
  }

  neg(): Tensor {
    return this.#one('neg')
  }
  abs(): Tensor {
    return this.#one('abs')
  }
  exp(): Tensor {
    return this.#one('exp')
  }
  log(): Tensor {
    return this.#one('log')
  }
  sqrt(): Tensor {
    return this.#one('sqrt')
  }
  reciprocal(): Tensor {
    return this.#one('reciprocal')
  }
  sin(): Tensor {
    return this.#one('sin')
  }
  cos(): Tensor {
    return this.#one('cos')
  }
  tanh(): Tensor {
    return this.#one('tanh')
  }
  sigmoid(): Tensor {
    return this.#one('sigmoid')
  }
  relu(): Tensor {
    return this.#one('relu')
  }
  silu(): Tensor {
    return this.#one('silu')
  }
  cast(dtype: DType): Tensor {
    return dtype === this.dtype ? this : this.#one('cast', [], { to: dtype })
  }
  /** The same value, through which no gradient flows. */
  stopGradient(): Tensor {
    return this.#one('stopGradient')
  }

  /** Matrix product over the last two dimensions; leading dimensions broadcast. */
  matmul(other: Operand, options: MatmulOptions = {}): Tensor {
    const { transA = false, transB = false, alpha = 1 } = options
    return this.#one('matmul', [this.builder.lift(other)], { transA, transB, alpha })
  }

  /** One dimension may be -1 (inferred). */
  reshape(shape: readonly Dim[]): Tensor {
    if (shape.length === this.rank && shape.every((dim, axis) => dim === this.shape[axis])) return this
    return this.#one('reshape', [], {
      shape: shape.map((dim) => (typeof dim === 'number' ? dim : -1)),
      symbols: JSON.stringify(shape),
    })
  }
  /** Reorders dimensions: result dimension i is dimension `order[i]`. Default: swaps the last two. */
  transpose(order?: readonly number[]): Tensor {
    const axes = this.shape.map((_, axis) => axis)
    return this.#one('transpose', [], { order: order ?? [...axes.slice(0, -2), axes.at(-1) ?? 0, axes.at(-2) ?? 0] })
  }
  /** Repeats size-1 dimensions (and adds leading ones) up to `shape`. */
  broadcastTo(shape: readonly number[]): Tensor {
    return this.#one('broadcastTo', [], { shape })
  }
  /** Elements `start` (inclusive) to `end` (exclusive) along `axis`. */
  slice(axis: number, start: number, end: number): Tensor {
    return this.#one('slice', [], { axis, start, end })
  }
  /** Pieces of the given sizes along `axis`. */
  split(sizes: readonly number[], axis = -1): Tensor[] {
    return this.builder.apply('split', [this], { sizes, axis })
  }

  sum(axes?: number | readonly number[], options: ReduceOptions = {}): Tensor {
    return this.#reduce('sum', axes, options)
  }
  mean(axes?: number | readonly number[], options: ReduceOptions = {}): Tensor {
    return this.#reduce('mean', axes, options)
  }
  /** Largest element; the gradient is shared evenly among ties. */
  max(axes?: number | readonly number[], options: ReduceOptions = {}): Tensor {
    return this.#reduce('max', axes, options)
  }
  softmax(axis = -1): Tensor {
    return this.#one('softmax', [], { axis })
  }
  logSoftmax(axis = -1): Tensor {
    return this.#one('logSoftmax', [], { axis })
  }

  /** Rows of `this` [rows, ...] at integer `indices` [...]: result [...indices, ...]. The embedding look-up. */
  gatherRows(indices: Tensor): Tensor {
    return this.#one('gatherRows', [indices])
  }
  /** `this` [rows, ...] with `updates` [...indices, ...] added at rows `indices`, in a fixed order. */
  scatterAddRows(indices: Tensor, updates: Tensor): Tensor {
    return this.#one('scatterAddRows', [indices, updates])
  }
  /** Slices at integer `indices` [n] along `axis`, as `torch.index_select`. */
  indexSelect(axis: number, indices: Tensor): Tensor {
    return this.#one('indexSelect', [indices], { axis })
  }
  /** Elements of the last dimension at `indices` (same rank, other dimensions equal), as `torch.gather(…, -1, …)`. */
  takeAlongLast(indices: Tensor): Tensor {
    return this.#one('takeAlongLast', [indices])
  }
  /** `this` with `updates` added at `indices` of the last dimension, the adjoint of `takeAlongLast`. */
  scatterAddLast(indices: Tensor, updates: Tensor): Tensor {
    return this.#one('scatterAddLast', [indices, updates])
  }

  #binary(op: OpName, other: Operand): Tensor {
    return this.#one(op, [this.builder.lift(other, this.dtype)])
  }

  #reduce(op: OpName, axes: number | readonly number[] | undefined, { keepDims = false }: ReduceOptions): Tensor {
    const list = axes === undefined ? this.shape.map((_, axis) => axis) : typeof axes === 'number' ? [axes] : axes
    return this.#one(op, [], { axes: list.map((axis) => normalizeAxis(op, axis, this.shape)), keepDims })
  }

  #one(op: OpName, rest: readonly Tensor[] = [], attributes: Attributes = {}): Tensor {
    const [result] = this.builder.apply(op, [this, ...rest], attributes)
    if (!result) throw new TensorError('SHAPE_MISMATCH', `${op} has no result`)
    return result
  }
}
