import { type Captured, type HostTensor, sizeOf } from '@enigma/tensor'
import { NnError } from './errors.js'

/** A trainable tensor of a layer (f32). Used in a traced program it becomes an input; its numbers stay here. */
export class Parameter implements Captured, HostTensor {
  readonly dtype = 'f32'
  readonly shape: readonly number[]
  /** Row-major elements. A training step moves them to shared memory, so keep the parameter, not this array. */
  data: Float32Array
  /** False freezes the parameter: no gradient is computed and no update made. */
  requiresGrad = true

  constructor(shape: readonly number[], data: Float32Array = new Float32Array(sizeOf(shape))) {
    if (data.length !== sizeOf(shape))
      throw new NnError(
        'SHAPE_MISMATCH',
        `A parameter of shape [${shape.join(', ')}] needs ${sizeOf(shape)} numbers, got ${data.length}.`,
      )
    this.shape = shape
    this.data = data
  }

  get size(): number {
    return this.data.length
  }
}
