import { ElementwiseMethods } from './elementwise-methods.js'
import { fixed, normalizeAxis, shapeError } from './ops/define.js'
import type { Dim } from './program.js'
import type { Tensor } from './tensor.js'

const sizeAt = (op: string, { shape }: Tensor, axis: number) => fixed(op, shape.slice(axis, axis + 1))[0]!

/** The methods of `Tensor` that give it another shape or take it apart. Dimensions count from the back where negative. */
export abstract class ShapeMethods extends ElementwiseMethods {
  /** One dimension may be -1 (inferred). */
  reshape(this: Tensor, shape: readonly Dim[]): Tensor {
    if (shape.length === this.rank && shape.every((dim, axis) => dim === this.shape[axis])) return this
    return this.record('reshape', [], {
      shape: shape.map((dim) => (typeof dim === 'number' ? dim : -1)),
      symbols: JSON.stringify(shape),
    })
  }
  /** Reorders dimensions: result dimension i is dimension `order[i]`. Default: swaps the last two. */
  transpose(this: Tensor, order?: readonly number[]): Tensor {
    const axes = this.shape.map((_, axis) => axis)
    return this.record('transpose', [], { order: order ?? [...axes.slice(0, -2), axes.at(-1) ?? 0, axes.at(-2) ?? 0] })
  }
  /** Repeats size-1 dimensions (and adds leading ones) up to `shape`. */
  broadcastTo(this: Tensor, shape: readonly number[]): Tensor {
    return this.record('broadcastTo', [], { shape })
  }
  /** As `transpose(order)`, under PyTorch's name; dimensions may count from the back. */
  permute(this: Tensor, order: readonly number[]): Tensor {
    return this.transpose(order.map((axis) => normalizeAxis('permute', axis, this.shape)))
  }
  /** As `broadcastTo`; -1 keeps a size. */
  expand(this: Tensor, shape: readonly number[]): Tensor {
    const lead = shape.length - this.rank
    return this.broadcastTo(shape.map((size, axis) => (size === -1 && axis >= lead ? (this.shape[axis - lead] as number) : size)))
  }
  /** Without one dimension of size 1, which must have it, or without all of them. */
  squeeze(this: Tensor, axis?: number): Tensor {
    if (axis === undefined) return this.reshape(this.shape.filter((dim) => dim !== 1))
    const at = normalizeAxis('squeeze', axis, this.shape)
    return this.shape[at] === 1 ? this.reshape(this.shape.filter((_, index) => index !== at)) : this
  }
  /** A dimension of size 1 before dimension `axis`; counted from the back, -1 is behind the last. */
  unsqueeze(this: Tensor, axis: number): Tensor {
    const at = normalizeAxis('unsqueeze', axis, [...this.shape, 1])
    return this.reshape([...this.shape.slice(0, at), 1, ...this.shape.slice(at)])
  }
  /** Dimensions `start` to `end` (inclusive) as one. Default: all. */
  flatten(this: Tensor, start = 0, end = -1): Tensor {
    if (this.rank === 0) return this.reshape([1])
    const [from, to] = [normalizeAxis('flatten', start, this.shape), normalizeAxis('flatten', end, this.shape)]
    if (from > to) throw shapeError('flatten', `dimension ${start} comes after ${end}`, [this.shape])
    if (from === to) return this
    const merged = this.shape.slice(from, to + 1)
    const sizes = merged.filter((dim) => typeof dim === 'number')
    const size = sizes.length === merged.length ? sizes.reduce((product, dim) => product * dim, 1) : -1
    return this.reshape([...this.shape.slice(0, from), size, ...this.shape.slice(to + 1)])
  }
  /** One dimension as several; one of `sizes` may be -1. */
  unflatten(this: Tensor, axis: number, sizes: readonly number[]): Tensor {
    const at = normalizeAxis('unflatten', axis, this.shape)
    return this.reshape([...this.shape.slice(0, at), ...sizes, ...this.shape.slice(at + 1)])
  }

  /**
   * Every `step`-th element from `start` (inclusive) to `end` (exclusive) along `axis`, as Python's `x[start:end:step]`; negative
   * ones count from the back, a negative step goes backwards. Unlike Python's, a range beyond the dimension is an error.
   */
  slice(this: Tensor, axis: number, start?: number, end?: number, step = 1): Tensor {
    const at = normalizeAxis('slice', axis, this.shape)
    const size = this.shape[at] as number
    const place = (index: number) => (index < 0 ? index + size : index)
    if (step >= 0)
      return this.record('slice', [], {
        axis: at,
        start: place(start ?? 0),
        end: place(end ?? size),
        ...(step !== 1 && { step }),
      })
    const [first, last] = [place(start ?? size - 1), end === undefined ? -1 : place(end)]
    return this.flip(at).slice(at, size - 1 - first, Math.max(size - 1 - last, size - 1 - first), -step)
  }
  /** `length` elements from `start` along `axis`. */
  narrow(this: Tensor, axis: number, start: number, length: number): Tensor {
    const at = normalizeAxis('narrow', axis, this.shape)
    const size = sizeAt('narrow', this, at)
    const from = start < 0 ? start + size : start
    if (!(from >= 0 && length >= 0 && from + length <= size))
      throw shapeError('narrow', `${length} elements from ${start} are not within dimension ${at} of size ${size}`, [this.shape])
    return this.slice(at, from, from + length)
  }
  /** The slice at `index` of dimension `axis`, which is gone from the result. */
  select(this: Tensor, axis: number, index: number): Tensor {
    const at = normalizeAxis('select', axis, this.shape)
    const size = sizeAt('select', this, at)
    if (!(Number.isInteger(index) && index >= -size && index < size))
      throw shapeError('select', `dimension ${at} of size ${size} has no index ${index}`, [this.shape])
    return this.narrow(at, index, 1).reshape(this.shape.filter((_, other) => other !== at))
  }
  /** Reverses the order along some dimensions. */
  flip(this: Tensor, axes: number | readonly number[]): Tensor {
    const list = typeof axes === 'number' ? [axes] : axes
    return this.record('flip', [], { axes: list.map((axis) => normalizeAxis('flip', axis, this.shape)) })
  }
  /** `value` (default 0), `before` and `after` times, around dimension `axis`. Several dimensions and other modes: `pad`. */
  pad(this: Tensor, axis: number, before: number, after: number, value = 0): Tensor {
    if (before === 0 && after === 0) return this
    const at = normalizeAxis('pad', axis, this.shape)
    return this.record('pad', [], { axis: at, before, after, ...(value !== 0 && { value }) })
  }
  /** Pieces along `axis` (default 0): of the given sizes, or of one size, the last being smaller if it must. */
  split(this: Tensor, sizes: number | readonly number[], axis = 0): Tensor[] {
    const at = normalizeAxis('split', axis, this.shape)
    if (typeof sizes !== 'number') return this.builder.apply('split', [this], { sizes, axis: at })
    const size = this.shape[at] as number
    if (!(sizes >= 1)) throw shapeError('split', `pieces need a size of at least 1, got ${sizes}`, [this.shape])
    const count = Math.max(1, Math.ceil(size / sizes))
    return this.split(
      Array.from({ length: count }, (_, i) => Math.min(sizes, size - i * sizes)),
      at,
    )
  }
  /** At most `chunks` pieces of one size along `axis` (default 0), the last being smaller if it must. */
  chunk(this: Tensor, chunks: number, axis = 0): Tensor[] {
    const size = this.shape[normalizeAxis('chunk', axis, this.shape)] as number
    return size === 0
      ? this.split(
          Array.from({ length: chunks }, () => 0),
          axis,
        )
      : this.split(Math.ceil(size / chunks), axis)
  }
  /** The slices along `axis` (default 0), without that dimension. */
  unbind(this: Tensor, axis = 0): Tensor[] {
    const at = normalizeAxis('unbind', axis, this.shape)
    const shape = this.shape.filter((_, index) => index !== at)
    return this.shape[at] === 0 ? [] : this.split(1, at).map((piece) => piece.reshape(shape))
  }
  /** Matrices with zeros above diagonal `diagonal` (0 is the main one, positive ones lie above). */
  tril(this: Tensor, diagonal = 0): Tensor {
    return this.record('triangle', [], { upper: false, diagonal })
  }
  /** Matrices with zeros below diagonal `diagonal`. */
  triu(this: Tensor, diagonal = 0): Tensor {
    return this.record('triangle', [], { upper: true, diagonal })
  }
}
