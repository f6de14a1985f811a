import type { Tensor } from '@enigma/tensor'
import { Layer, type LayerMember, type UnaryLayer } from '../layer.js'

/** Layers one after the other; parameter names are `<index>.<name>` as in PyTorch. */
export class Sequential extends Layer {
  readonly layers: readonly UnaryLayer[]

  constructor(...layers: UnaryLayer[]) {
    super()
    this.layers = layers
  }

  override forward(x: Tensor): Tensor {
    return this.layers.reduce<Tensor>((value, layer) => layer.forward(value), x)
  }

  override *members(): Generator<[string, LayerMember]> {
    for (const [index, layer] of this.layers.entries()) yield [String(index), layer]
  }
}
