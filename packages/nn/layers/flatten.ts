import type { Dim, Tensor } from '@enigma/tensor'
import { NnError } from '../errors.js'
import { Layer } from '../layer.js'

function axisOf(layer: string, axis: number, shape: readonly Dim[]): number {
  const result = axis < 0 ? axis + shape.length : axis
  if (Number.isInteger(result) && result >= 0 && result < shape.length) return result
  throw new NnError('SHAPE_MISMATCH', `${layer}: dimension ${axis} is out of range for [${shape.join(', ')}].`)
}

/** Dimensions `startDim` to `endDim` joined to one. Default: all but the first, the batch. */
export class Flatten extends Layer {
  readonly startDim: number
  readonly endDim: number

  constructor({ startDim = 1, endDim = -1 }: { startDim?: number; endDim?: number } = {}) {
    super()
    this.startDim = startDim
    this.endDim = endDim
  }

  override forward(x: Tensor): Tensor {
    const [start, end] = [axisOf('Flatten', this.startDim, x.shape), axisOf('Flatten', this.endDim, x.shape)]
    const joined = x.shape.slice(start, end + 1)
    // A size of its own rather than -1, which an empty batch would leave open.
    const size = joined.every((dim) => typeof dim === 'number') ? joined.reduce((product, dim) => product * dim, 1) : -1
    return x.reshape([...x.shape.slice(0, start), size, ...x.shape.slice(end + 1)])
  }
}

/** Dimension `dim` taken apart into `unflattenedSize`. */
export class Unflatten extends Layer {
  constructor(
    readonly dim: number,
    readonly unflattenedSize: readonly number[],
  ) {
    super()
  }

  override forward(x: Tensor): Tensor {
    const axis = axisOf('Unflatten', this.dim, x.shape)
    return x.reshape([...x.shape.slice(0, axis), ...this.unflattenedSize, ...x.shape.slice(axis + 1)])
  }
}
