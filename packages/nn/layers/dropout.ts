import { dropout, type Tensor } from '@enigma/tensor'
import { NnError } from '../errors.js'
import { Layer } from '../layer.js'

/** While training, zeroes elements with probability `p` and scales the rest by 1/(1-p); otherwise the identity. */
export class Dropout extends Layer {
  constructor(readonly p = 0.5) {
    super()
    if (!(p >= 0 && p < 1)) throw new NnError('INVALID_ARGUMENT', `dropout must be at least 0 and less than 1, got ${p}`)
  }

  override forward(x: Tensor): Tensor {
    return this.training ? dropout(x, this.p) : x
  }
}
