import { linear, type Tensor } from '@enigma/tensor'
import { randomOf, type Seed, uniform } from '../init/index.js'
import { Layer } from '../layer.js'
import { optionsOf } from '../options.js'
import { Parameter } from '../parameter.js'

export interface LinearOptions {
  /** Default true. */
  readonly bias?: boolean
  readonly seed?: Seed
}

/** y = x · weightᵀ + bias; weight [out, in], initialised as PyTorch's: U(±1/√in). */
export class Linear extends Layer {
  readonly weight: Parameter
  readonly bias?: Parameter

  constructor(inFeatures: number, outFeatures: number, options: LinearOptions = {}) {
    super()
    const { bias = true, seed } = optionsOf('Linear', options, 'bias: false')
    const random = randomOf(seed)
    this.weight = new Parameter([outFeatures, inFeatures])
    if (random) uniform(this.weight, 1 / Math.sqrt(inFeatures), random)
    if (bias) {
      this.bias = new Parameter([outFeatures])
      if (random) uniform(this.bias, 1 / Math.sqrt(inFeatures), random)
    }
  }

  override forward(x: Tensor): Tensor {
    return linear(x, this.weight, this.bias)
  }
}
