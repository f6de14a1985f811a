import {
  type ConvolutionOptions,
  type ConvTransposeOptions as ConvTransposeSettings,
  conv1d,
  conv2d,
  convTranspose1d,
  convTranspose2d,
  type PerDimension,
  type Tensor,
} from '@enigma/tensor'
import { NnError } from '../errors.js'
import { randomOf, type Seed, uniform } from '../init/index.js'
import { Layer } from '../layer.js'
import { optionsOf } from '../options.js'
import { Parameter } from '../parameter.js'

export interface ConvOptions extends ConvolutionOptions {
  /** Default true. */
  readonly bias?: boolean
  readonly seed?: Seed
}

export interface ConvTransposeOptions extends ConvTransposeSettings {
  /** Default true. */
  readonly bias?: boolean
  readonly seed?: Seed
}

/**
 * What convolution layers share: a weight [first, second/groups, …kernel], where a convolution goes from `second` to `first`
 * channels and its transpose back, and a bias [out]; both U(±1/√(second/groups · taps)), as PyTorch's.
 */
abstract class Kernel extends Layer {
  readonly weight: Parameter
  readonly bias?: Parameter

  constructor(
    dimensions: number,
    [inChannels, outChannels]: readonly [number, number],
    kernelSize: PerDimension,
    { transposed, groups = 1, bias = true, seed }: { transposed: boolean; groups?: number; bias?: boolean; seed?: Seed },
  ) {
    super()
    if (inChannels % groups !== 0 || outChannels % groups !== 0)
      throw new NnError(
        'INVALID_ARGUMENT',
        `groups (${groups}) must divide both channel counts, ${inChannels} and ${outChannels}.`,
      )
    const kernel = typeof kernelSize === 'number' ? new Array<number>(dimensions).fill(kernelSize) : kernelSize
    if (kernel.length !== dimensions)
      throw new NnError('INVALID_ARGUMENT', `kernelSize must be one number or ${dimensions}, got [${kernel.join(', ')}].`)
    const [first, second] = transposed ? [inChannels, outChannels] : [outChannels, inChannels]
    this.weight = new Parameter([first, second / groups, ...kernel])
    const random = randomOf(seed)
    const bound = 1 / Math.sqrt(this.weight.size / first)
    if (random) uniform(this.weight, bound, random)
    if (bias) {
      this.bias = new Parameter([outChannels])
      if (random) uniform(this.bias, bound, random)
    }
  }
}

/** Cross-correlation of sequences: x [N, in, L] → [N, out, L']. */
export class Conv1d extends Kernel {
  readonly #options: ConvolutionOptions

  constructor(inChannels: number, outChannels: number, kernelSize: PerDimension, options: ConvOptions = {}) {
    super(1, [inChannels, outChannels], kernelSize, {
      ...optionsOf(new.target.name, options, 'stride: 2, padding: 1'),
      transposed: false,
    })
    this.#options = options
  }

  override forward(x: Tensor): Tensor {
    return conv1d(x, this.weight, this.bias, this.#options)
  }
}

/** Cross-correlation of images: x [N, in, H, W] → [N, out, H', W']. */
export class Conv2d extends Kernel {
  readonly #options: ConvolutionOptions

  constructor(inChannels: number, outChannels: number, kernelSize: PerDimension, options: ConvOptions = {}) {
    super(2, [inChannels, outChannels], kernelSize, {
      ...optionsOf(new.target.name, options, 'stride: 2, padding: 1'),
      transposed: false,
    })
    this.#options = options
  }

  override forward(x: Tensor): Tensor {
    return conv2d(x, this.weight, this.bias, this.#options)
  }
}

/** Transposed convolution of sequences: x [N, in, L] → [N, out, L']. */
export class ConvTranspose1d extends Kernel {
  readonly #options: ConvTransposeSettings

  constructor(inChannels: number, outChannels: number, kernelSize: PerDimension, options: ConvTransposeOptions = {}) {
    super(1, [inChannels, outChannels], kernelSize, {
      ...optionsOf(new.target.name, options, 'stride: 2, padding: 1'),
      transposed: true,
    })
    this.#options = options
  }

  override forward(x: Tensor): Tensor {
    return convTranspose1d(x, this.weight, this.bias, this.#options)
  }
}

/** Transposed convolution of images: x [N, in, H, W] → [N, out, H', W']. */
export class ConvTranspose2d extends Kernel {
  readonly #options: ConvTransposeSettings

  constructor(inChannels: number, outChannels: number, kernelSize: PerDimension, options: ConvTransposeOptions = {}) {
    super(2, [inChannels, outChannels], kernelSize, {
      ...optionsOf(new.target.name, options, 'stride: 2, padding: 1'),
      transposed: true,
    })
    this.#options = options
  }

  override forward(x: Tensor): Tensor {
    return convTranspose2d(x, this.weight, this.bias, this.#options)
  }
}
