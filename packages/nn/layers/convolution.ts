import { type ConvolutionOptions, conv2d, type PerDimension, type Tensor } from '@enigma/tensor'
import { NnError } from '../errors.js'
import { randomOf, type Seed, uniform } from '../init/index.js'
import { Layer } from '../layer.js'
import { Parameter } from '../parameter.js'

export interface ConvOptions extends ConvolutionOptions {
  /** Default true. */
  readonly bias?: boolean
  readonly seed?: Seed
}

/** What convolution layers share: weight [out, in/groups, …kernel] and bias [out], both U(±1/√(in/groups · taps)), as PyTorch's. */
abstract class Convolution extends Layer {
  readonly weight: Parameter
  readonly bias?: Parameter
  protected readonly options: ConvolutionOptions

  constructor(dimensions: number, inChannels: number, outChannels: number, kernelSize: PerDimension, options: ConvOptions) {
    super()
    const { bias = true, seed, ...settings } = options
    const { groups = 1 } = settings
    if (inChannels % groups !== 0 || outChannels % groups !== 0)
      throw new NnError(
        'INVALID_ARGUMENT',
        `groups (${groups}) must divide both channel counts, ${inChannels} and ${outChannels}.`,
      )
    const kernel = typeof kernelSize === 'number' ? new Array<number>(dimensions).fill(kernelSize) : kernelSize
    if (kernel.length !== dimensions)
      throw new NnError('INVALID_ARGUMENT', `kernelSize must be one number or ${dimensions}, got [${kernel.join(', ')}].`)
    this.options = settings
    this.weight = new Parameter([outChannels, inChannels / groups, ...kernel])
    const random = randomOf(seed)
    const bound = 1 / Math.sqrt(this.weight.size / outChannels)
    if (random) uniform(this.weight, bound, random)
    if (bias) {
      this.bias = new Parameter([outChannels])
      if (random) uniform(this.bias, bound, random)
    }
  }
}

/** Cross-correlation of images: x [N, in, H, W] → [N, out, H', W']. */
export class Conv2d extends Convolution {
  constructor(inChannels: number, outChannels: number, kernelSize: PerDimension, options: ConvOptions = {}) {
    super(2, inChannels, outChannels, kernelSize, options)
  }

  override forward(x: Tensor): Tensor {
    return conv2d(x, this.weight, this.bias, this.options)
  }
}
