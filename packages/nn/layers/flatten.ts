import type { Tensor } from '@enigma/tensor'
import { Layer } from '../layer.js'
import { optionsOf } from '../options.js'

/** Dimensions `startDim` to `endDim` joined to one. Default: all but the first, the batch. */
export class Flatten extends Layer {
  readonly startDim: number
  readonly endDim: number

  constructor(options: { startDim?: number; endDim?: number } = {}) {
    super()
    const { startDim = 1, endDim = -1 } = optionsOf('Flatten', options, 'startDim: 2')
    this.startDim = startDim
    this.endDim = endDim
  }

  override forward(x: Tensor): Tensor {
    return x.flatten(this.startDim, this.endDim)
  }
}

/** Dimension `dim` taken apart into `unflattenedSize`; one size may be -1. */
export class Unflatten extends Layer {
  constructor(
    readonly dim: number,
    readonly unflattenedSize: readonly number[],
  ) {
    super()
  }

  override forward(x: Tensor): Tensor {
    return x.unflatten(this.dim, this.unflattenedSize)
  }
}
