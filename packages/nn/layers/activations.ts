import type { Tensor } from '@enigma/tensor'
import { Layer } from '../layer.js'

/** max(x, 0) */
export class ReLU extends Layer {
  override forward(x: Tensor): Tensor {
    return x.relu()
  }
}

/** x · sigmoid(x) */
export class SiLU extends Layer {
  override forward(x: Tensor): Tensor {
    return x.silu()
  }
}

/** tanh(x) */
export class Tanh extends Layer {
  override forward(x: Tensor): Tensor {
    return x.tanh()
  }
}

/** 1 / (1 + e^-x) */
export class Sigmoid extends Layer {
  override forward(x: Tensor): Tensor {
    return x.sigmoid()
  }
}
