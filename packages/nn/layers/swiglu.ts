import { dropout, swiglu, type Tensor } from '@enigma/tensor'
import { childSeed, type Seed } from '../init/index.js'
import { Layer } from '../layer.js'
import { Linear } from './linear.js'

/** down(silu(gate(x)) · up(x)) (Shazeer 2020), without biases unless asked for; field names are Hugging Face's Llama's. */
export class SwiGLU extends Layer {
  readonly gate_proj: Linear
  readonly up_proj: Linear
  readonly down_proj: Linear

  constructor(
    dim: number,
    hidden: number,
    readonly p = 0,
    seed?: Seed,
    bias = false,
  ) {
    super()
    this.gate_proj = new Linear(dim, hidden, { bias, seed: childSeed(seed, 0) })
    this.up_proj = new Linear(dim, hidden, { bias, seed: childSeed(seed, 1) })
    this.down_proj = new Linear(hidden, dim, { bias, seed: childSeed(seed, 2) })
  }

  override forward(x: Tensor): Tensor {
    return dropout(this.down_proj.forward(swiglu(this.gate_proj.forward(x), this.up_proj.forward(x))), this.p)
  }
}
