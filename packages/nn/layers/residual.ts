import type { Tensor } from '@enigma/tensor'
import { NnError } from '../errors.js'
import { Layer, type UnaryLayer } from '../layer.js'

/** x + body(x); the body keeps the shape. */
export class Residual extends Layer {
  constructor(readonly body: UnaryLayer) {
    super()
  }

  /** @throws NnError SHAPE_MISMATCH when the body gives another shape than it was given */
  override forward(x: Tensor): Tensor {
    const y = this.body.forward(x)
    if (y.shape.join() !== x.shape.join())
      throw new NnError(
        'SHAPE_MISMATCH',
        `Residual: the body makes [${y.shape.join(', ')}] of [${x.shape.join(', ')}], so the two cannot be added. Give it layers that keep the shape.`,
      )
    return x.add(y)
  }
}
