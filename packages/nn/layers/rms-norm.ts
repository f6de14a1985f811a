import { rmsNorm, type Tensor } from '@enigma/tensor'
import { constant } from '../init/index.js'
import { Layer } from '../layer.js'
import { optionsOf } from '../options.js'
import { Parameter } from '../parameter.js'

/** x / sqrt(mean(x²) + eps) · weight over the last dimension. */
export class RMSNorm extends Layer {
  readonly weight: Parameter
  readonly #eps: number

  constructor(dim: number, options: { eps?: number } = {}) {
    super()
    const { eps = 1e-6 } = optionsOf('RMSNorm', options, 'eps: 1e-5')
    this.#eps = eps
    this.weight = new Parameter([dim])
    constant(this.weight, 1)
  }

  override forward(x: Tensor): Tensor {
    return rmsNorm(x, this.weight, this.#eps)
  }
}
