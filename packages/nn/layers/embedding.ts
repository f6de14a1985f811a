import type { Tensor } from '@enigma/tensor'
import { normal, randomOf, type Seed } from '../init/index.js'
import { Layer } from '../layer.js'
import { optionsOf } from '../options.js'
import { Parameter } from '../parameter.js'

/** Rows of a table [count, dim] at integer indices; initialised N(0, 1) as PyTorch's. */
export class Embedding extends Layer {
  readonly weight: Parameter

  constructor(count: number, dim: number, options: { seed?: Seed } = {}) {
    super()
    const { seed } = optionsOf('Embedding', options, 'seed: 1')
    this.weight = new Parameter([count, dim])
    const random = randomOf(seed)
    if (random) normal(this.weight, 1, random)
  }

  override forward(indices: Tensor): Tensor {
    return indices.builder.lift(this.weight).gatherRows(indices)
  }
}
