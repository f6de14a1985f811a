import type { Operand } from '../builder.js'
import { TensorError } from '../errors.js'
import { shapeError } from '../ops/define.js'
import { Tensor } from '../tensor.js'

/** The traced tensor among operands that decides which program is being built. */
function builderOf(...operands: readonly Operand[]) {
  for (const operand of operands) if (operand instanceof Tensor) return operand.builder
  throw new TensorError('UNKNOWN_INPUT', 'At least one operand must be a traced tensor.')
}

/** Tensors one after the other along `axis` (default 0), as `torch.cat`: all other sizes agree. */
export function concat(tensors: readonly Tensor[], axis = 0): Tensor {
  return builderOf(...tensors).apply('concat', tensors, { axis })[0]!
}

/** Tensors of one shape side by side along a new dimension `axis` (default 0). */
export function stack(tensors: readonly Tensor[], axis = 0): Tensor {
  const different = tensors.find(({ shape }) => shape.join() !== tensors[0]!.shape.join())
  if (different) throw shapeError('stack', 'the tensors must have one shape', [tensors[0]!.shape, different.shape])
  const lifted = tensors.map((tensor) => tensor.unsqueeze(axis))
  return concat(lifted, axis)
}

/** Coordinate grids of vectors, as `torch.meshgrid`: `'ij'` (default) indexes by row first, `'xy'` swaps the first two. */
export function meshgrid(vectors: readonly Tensor[], indexing: 'ij' | 'xy' = 'ij'): Tensor[] {
  const wrong = vectors.find(({ rank }) => rank !== 1)
  if (wrong) throw shapeError('meshgrid', 'expected vectors', [wrong.shape])
  const sizes = vectors.map(({ shape }) => shape[0] as number)
  const grids = vectors.map((vector, axis) => vector.reshape(sizes.map((_, i) => (i === axis ? -1 : 1))).broadcastTo(sizes))
  if (indexing === 'ij' || vectors.length < 2) return grids
  return grids.map((grid) => grid.permute([1, 0, ...sizes.map((_, axis) => axis).slice(2)]))
}
