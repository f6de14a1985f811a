import { normalizeAxis, shapeError } from '../ops/define.js'
import type { Tensor } from '../tensor.js'
import { concat } from './joining.js'

/** `constant` pads with a number, `reflect` mirrors without the edge, `replicate` repeats the edge, `circular` goes round. */
export type PadMode = 'constant' | 'reflect' | 'replicate' | 'circular'

type Edges = (x: Tensor, axis: number, size: number, before: number, after: number) => readonly [Tensor, Tensor]

/** What stands before and after along one dimension, and the most there can be of it for a size. */
const modes: Readonly<Record<Exclude<PadMode, 'constant'>, { readonly edges: Edges; readonly most: (size: number) => number }>> =
  {
    reflect: {
      edges: (x, axis, size, before, after) => [
        x.slice(axis, 1, before + 1).flip(axis),
        x.slice(axis, size - 1 - after, size - 1).flip(axis),
      ],
      most: (size) => size - 1,
    },
    replicate: {
      edges: (x, axis, size, before, after) => {
        const times = (edge: Tensor, count: number) =>
          edge.broadcastTo(edge.shape.map((dim, i) => (i === axis ? count : (dim as number))))
        return [times(x.slice(axis, 0, 1), before), times(x.slice(axis, size - 1, size), after)]
      },
      most: (size) => (size === 0 ? 0 : Number.POSITIVE_INFINITY),
    },
    circular: {
      edges: (x, axis, size, before, after) => [x.slice(axis, size - before, size), x.slice(axis, 0, after)],
      most: (size) => size,
    },
  }

/**
 * Padding as `torch.nn.functional.pad`: `pads` holds before and after of the last dimension, then of the one before it, and so
 * on; a negative amount cuts off. Default mode `constant`, value 0.
 */
export function pad(
  x: Tensor,
  pads: readonly number[],
  { mode = 'constant', value = 0 }: { readonly mode?: PadMode; readonly value?: number } = {},
): Tensor {
  if (pads.length % 2 !== 0 || pads.length > 2 * x.rank)
    throw shapeError('pad', `expected two amounts for at most ${x.rank} dimensions, got [${pads.join(', ')}]`, [x.shape])
  let result = x
  for (let i = 0; i < pads.length / 2; i++) {
    const axis = normalizeAxis('pad', -1 - i, x.shape)
    const [before, after] = [pads[2 * i]!, pads[2 * i + 1]!]
    const cut = result.slice(axis, Math.max(0, -before), (result.shape[axis] as number) - Math.max(0, -after))
    const inner = before < 0 || after < 0 ? cut : result
    result = extend(inner, axis, Math.max(0, before), Math.max(0, after), mode, value)
  }
  return result
}

function extend(x: Tensor, axis: number, before: number, after: number, mode: PadMode, value: number): Tensor {
  if (before === 0 && after === 0) return x
  if (mode === 'constant') return x.pad(axis, before, after, value)
  const size = x.shape[axis] as number
  const { edges, most } = modes[mode]
  if (before > most(size) || after > most(size))
    throw shapeError('pad', `${mode} cannot add ${before} and ${after} to dimension ${axis} of size ${size}`, [x.shape])
  const [head, tail] = edges(x, axis, size, before, after)
  return concat([...(before > 0 ? [head] : []), x, ...(after > 0 ? [tail] : [])], axis)
}
