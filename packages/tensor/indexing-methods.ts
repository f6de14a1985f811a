import type { Operand } from './builder.js'
import { broadcast, normalizeAxis, shapeError } from './ops/define.js'
import type { Dims } from './program.js'
import { ShapeMethods } from './shape-methods.js'
import type { Tensor } from './tensor.js'

/** The methods of `Tensor` that read, write and order elements by index. Indices are i64 or i32 tensors. */
export abstract class IndexingMethods extends ShapeMethods {
  /** Rows of `this` [rows, ...] at integer `indices` [...]: result [...indices, ...]. The embedding look-up. */
  gatherRows(this: Tensor, indices: Tensor): Tensor {
    return this.record('gatherRows', [indices])
  }
  /** `this` [rows, ...] with `updates` [...indices, ...] added at rows `indices`, in a fixed order. */
  scatterAddRows(this: Tensor, indices: Tensor, updates: Tensor): Tensor {
    return this.record('scatterAddRows', [indices, updates])
  }
  /** Slices at integer `indices` [n] along `axis`, as `torch.index_select`. */
  indexSelect(this: Tensor, axis: number, indices: Tensor): Tensor {
    return this.record('indexSelect', [indices], { axis })
  }
  /** `y[i][j] = this[index[i][j]][j]` for `axis` 0, and so on: `index` has the rank of `this`, as in `torch.gather`. */
  gather(this: Tensor, axis: number, index: Tensor): Tensor {
    return this.record('gather', [index], { axis: normalizeAxis('gather', axis, this.shape) })
  }
  /** `this` with `source` written where `gather(axis, index)` reads; no index may come twice in one line. */
  scatter(this: Tensor, axis: number, index: Tensor, source: Operand): Tensor {
    return scattered(this, 'scatter', axis, index, source)
  }
  /** `this` with `source` added where `gather(axis, index)` reads, in a fixed order. */
  scatterAdd(this: Tensor, axis: number, index: Tensor, source: Operand): Tensor {
    return scattered(this, 'scatterAdd', axis, index, source)
  }
  /** As `gather`, but sizes of 1 broadcast outside of `axis`. */
  takeAlongDim(this: Tensor, index: Tensor, axis: number): Tensor {
    const at = normalizeAxis('takeAlongDim', axis, this.shape)
    if (this.rank !== index.rank) throw shapeError('takeAlongDim', 'index and input need one rank', [this.shape, index.shape])
    const without = (shape: Dims) => shape.map((dim, i) => (i === at ? 1 : dim))
    const shared = broadcast('takeAlongDim', without(this.shape), without(index.shape)) as number[]
    const wide = (x: Tensor) => {
      const target = shared.map((dim, i) => (i === at ? (x.shape[at] as number) : dim))
      return target.join() === x.shape.join() ? x : x.broadcastTo(target)
    }
    return wide(this).gather(at, wide(index))
  }
  /** `value` where `mask` (bool, broadcast) is true, `this` elsewhere. */
  maskedFill(this: Tensor, mask: Tensor, value: Operand): Tensor {
    return mask.where(this.builder.lift(value, this.dtype), this)
  }
  /** The `k` largest (or smallest) along `axis` in order, and their i64 indices; of equal ones the first comes first. */
  topK(this: Tensor, k: number, axis = -1, { largest = true }: { largest?: boolean } = {}): { values: Tensor; indices: Tensor } {
    const at = normalizeAxis('topK', axis, this.shape)
    const [values, indices] = this.builder.apply('topK', [this], { k, axis: at, largest })
    return { values: values!, indices: indices! }
  }
  /** All elements along `axis` in order, and where they were. Stable: equal ones keep their order. */
  sort(this: Tensor, axis = -1, { descending = false }: { descending?: boolean } = {}): { values: Tensor; indices: Tensor } {
    const size = this.shape[normalizeAxis('sort', axis, this.shape)] as number
    return this.topK(size, axis, { largest: descending })
  }
  /** The indices that sort along `axis`, stably. */
  argsort(this: Tensor, axis = -1, options: { descending?: boolean } = {}): Tensor {
    return this.sort(axis, options).indices
  }
}

function scattered(x: Tensor, op: 'scatter' | 'scatterAdd', axis: number, index: Tensor, source: Operand): Tensor {
  const at = normalizeAxis(op, axis, x.shape)
  const lifted = x.builder.lift(source, x.dtype)
  // PyTorch reads of a larger source only what the index covers.
  const covered =
    lifted.rank === 0 && index.rank > 0
      ? lifted.broadcastTo(index.shape as readonly number[])
      : index.shape.reduce<Tensor>((part, size, i) => {
          const own = part.shape[i]
          return typeof size === 'number' && typeof own === 'number' && size < own ? part.slice(i, 0, size) : part
        }, lifted)
  return x.record(op, [index, covered], { axis: at })
}
