import type { Builder, Operand } from './builder.js'
import { callerLine } from './caller-line.js'
import { type DType, isFloat } from './dtype.js'
import { TensorError } from './errors.js'
import { IndexingMethods } from './indexing-methods.js'
import { normalizeAxis, shapeError } from './ops/define.js'
import type { OpName } from './ops/index.js'
import type { Attributes, Dims } from './program.js'

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
export class Tensor extends IndexingMethods {
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

  /** A symbolic tensor has no number that JavaScript's operators could take: `x * 2` and `x > 0` are errors. */
  [Symbol.toPrimitive](hint: string): string {
    const text = `Tensor ${this.dtype}[${this.shape.join(', ')}]`
    if (hint === 'string') return text
    throw new TensorError(
      'INVALID_ARGUMENT',
      `${text} is symbolic: use its methods (x.mul(2), x.greater(0)) instead of JavaScript's operators.${callerLine()}`,
    )
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

  /**
   * Matrix product over the last two dimensions; leading dimensions broadcast. As in PyTorch, a vector on the left is a row, one on
   * the right a column, and that dimension is gone from the result.
   */
  matmul(other: Operand, options: MatmulOptions = {}): Tensor {
    const { transA = false, transB = false, alpha = 1 } = options
    const right = this.builder.lift(other)
    if (this.rank > 1 && right.rank > 1) return this.record('matmul', [right], { transA, transB, alpha })
    if (this.rank === 0 || right.rank === 0 || (this.rank === 1 && transA) || (right.rank === 1 && transB))
      throw shapeError('matmul', 'a scalar has no product of matrices, and a vector no transpose', [this.shape, right.shape])
    const row = this.rank === 1 ? this.unsqueeze(0) : this
    const product = row.matmul(right.rank === 1 ? right.unsqueeze(1) : right, options)
    const { shape } = product
    const rows = this.rank === 1 ? shape.slice(0, -2) : shape.slice(0, -1)
    return product.reshape(right.rank === 1 ? rows : [...rows, shape.at(-1)!])
  }

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
