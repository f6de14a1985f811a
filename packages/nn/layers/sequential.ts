import type { Tensor } from '@enigma/tensor'
import { Layer, type UnaryLayer } from '../layer.js'
import type { Parameter } from '../parameter.js'

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

  override *namedParameters(prefix = '', seen = new Set<Parameter>()): Generator<[string, Parameter]> {
    for (const [index, layer] of this.layers.entries()) yield* layer.namedParameters(`${prefix}${index}.`, seen)
  }
}
