import {
  type AvgPoolOptions,
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  avgPool1d,
  avgPool2d,
  type MaxPoolOptions,
  maxPool1d,
  maxPool2d,
  type PerDimension,
  type Tensor,
} from '@enigma/tensor'
import { Layer } from '../layer.js'
import { optionsOf } from '../options.js'

/** Largest element of each window of x [N, C, L]. */
export class MaxPool1d extends Layer {
  constructor(
    readonly kernelSize: PerDimension,
    readonly options: MaxPoolOptions = {},
  ) {
    super()
    optionsOf(new.target.name, options, 'stride: 2')
  }

  override forward(x: Tensor): Tensor {
    return maxPool1d(x, this.kernelSize, this.options)
  }
}

/** Largest element of each window of x [N, C, H, W]. */
export class MaxPool2d extends Layer {
  constructor(
    readonly kernelSize: PerDimension,
    readonly options: MaxPoolOptions = {},
  ) {
    super()
    optionsOf(new.target.name, options, 'stride: 2')
  }

  override forward(x: Tensor): Tensor {
    return maxPool2d(x, this.kernelSize, this.options)
  }
}

/** Mean of each window of x [N, C, L]. */
export class AvgPool1d extends Layer {
  constructor(
    readonly kernelSize: PerDimension,
    readonly options: AvgPoolOptions = {},
  ) {
    super()
    optionsOf(new.target.name, options, 'stride: 2')
  }

  override forward(x: Tensor): Tensor {
    return avgPool1d(x, this.kernelSize, this.options)
  }
}

/** Mean of each window of x [N, C, H, W]. */
export class AvgPool2d extends Layer {
  constructor(
    readonly kernelSize: PerDimension,
    readonly options: AvgPoolOptions = {},
  ) {
    super()
    optionsOf(new.target.name, options, 'stride: 2')
  }

  override forward(x: Tensor): Tensor {
    return avgPool2d(x, this.kernelSize, this.options)
  }
}

/** Means over windows that divide x [N, C, L] into `outputSize` parts. */
export class AdaptiveAvgPool1d extends Layer {
  constructor(readonly outputSize: number) {
    super()
  }

  override forward(x: Tensor): Tensor {
    return adaptiveAvgPool1d(x, this.outputSize)
  }
}

/** Means over windows that divide x [N, C, H, W] into `outputSize` parts; 1 is the global mean of each channel. */
export class AdaptiveAvgPool2d extends Layer {
  constructor(readonly outputSize: PerDimension) {
    super()
  }

  override forward(x: Tensor): Tensor {
    return adaptiveAvgPool2d(x, this.outputSize)
  }
}

/** Largest elements of windows that divide x [N, C, L] into `outputSize` parts. */
export class AdaptiveMaxPool1d extends Layer {
  constructor(readonly outputSize: number) {
    super()
  }

  override forward(x: Tensor): Tensor {
    return adaptiveMaxPool1d(x, this.outputSize)
  }
}

/** Largest elements of windows that divide x [N, C, H, W] into `outputSize` parts. */
export class AdaptiveMaxPool2d extends Layer {
  constructor(readonly outputSize: PerDimension) {
    super()
  }

  override forward(x: Tensor): Tensor {
    return adaptiveMaxPool2d(x, this.outputSize)
  }
}
