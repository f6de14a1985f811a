import { type InterpolateOptions, interpolate, pixelShuffle, pixelUnshuffle, type Tensor } from '@enigma/tensor'
import { Layer } from '../layer.js'
import { optionsOf } from '../options.js'

/** x [N, C, L] or [N, C, H, W] with its spatial dimensions resized. */
export class Upsample extends Layer {
  constructor(readonly options: InterpolateOptions) {
    super()
    optionsOf('Upsample', options, 'scaleFactor: 2')
  }

  override forward(x: Tensor): Tensor {
    return interpolate(x, this.options)
  }
}

/** x [N, C·r², H, W] to [N, C, H·r, W·r]: channels become pixels (Shi et al. 2016). */
export class PixelShuffle extends Layer {
  constructor(readonly upscaleFactor: number) {
    super()
  }

  override forward(x: Tensor): Tensor {
    return pixelShuffle(x, this.upscaleFactor)
  }
}

/** x [N, C, H·r, W·r] to [N, C·r², H, W]: pixels become channels. */
export class PixelUnshuffle extends Layer {
  constructor(readonly downscaleFactor: number) {
    super()
  }

  override forward(x: Tensor): Tensor {
    return pixelUnshuffle(x, this.downscaleFactor)
  }
}
