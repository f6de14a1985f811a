import { type ArrayTypes, type Captured, dtypes, type HostTensor, sizeOf } from '@enigma/tensor'
import { NnError } from './errors.js'

type BufferDType = 'f32' | 'i64'

/**
 * Numbers of a layer that belong to its state but are not trained, as PyTorch's buffers: running means, counters. Used in a
 * traced program it becomes an input; while training, `builder.update(buffer, value)` gives it new numbers after each run.
 */
export class LayerBuffer<D extends BufferDType = 'f32'> implements Captured, HostTensor {
  readonly dtype: D
  readonly shape: readonly number[]
  readonly data: ArrayTypes[D]

  constructor(shape: readonly number[], dtype: D = 'f32' as D, data = new dtypes[dtype].array(sizeOf(shape)) as ArrayTypes[D]) {
    if (data.length !== sizeOf(shape))
      throw new NnError(
        'SHAPE_MISMATCH',
        `A buffer of shape [${shape.join(', ')}] needs ${sizeOf(shape)} numbers, got ${data.length}.`,
      )
    this.dtype = dtype
    this.shape = shape
    this.data = data
  }
}
