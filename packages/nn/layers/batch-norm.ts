import { batchNorm, batchNormInference, sizeOf, type Tensor } from '@enigma/tensor'
import { constant } from '../init/index.js'
import { Layer } from '../layer.js'
import { LayerBuffer } from '../layer-buffer.js'
import { optionsOf } from '../options.js'
import { Parameter } from '../parameter.js'
import { expectChannels } from './normalization.js'

export interface BatchNormOptions {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number
  /** Share of the newest batch in the running statistics; null takes the mean over all batches. Default 0.1. */
  readonly momentum?: number | null
  /** Whether each channel has a weight and a bias. Default true. */
  readonly affine?: boolean
  /** False keeps no running statistics: evaluation takes those of its batch. Default true. */
  readonly trackRunningStats?: boolean
}

/**
 * Each channel of x [N, C, ...] by its mean and variance: of the batch while training, running ones in evaluation (Ioffe &
 * Szegedy 2015). Buffers and their names are PyTorch's; the running variance is the unbiased one.
 */
abstract class BatchNorm extends Layer {
  readonly eps: number
  readonly momentum: number | null
  readonly weight?: Parameter
  readonly bias?: Parameter
  readonly running_mean?: LayerBuffer
  readonly running_var?: LayerBuffer
  readonly num_batches_tracked?: LayerBuffer<'i64'>
  protected abstract readonly ranks: readonly number[]

  constructor(
    readonly numFeatures: number,
    options: BatchNormOptions = {},
  ) {
    super()
    const {
      eps = 1e-5,
      momentum = 0.1,
      affine = true,
      trackRunningStats = true,
    } = optionsOf(new.target.name, options, 'eps: 1e-5')
    this.eps = eps
    this.momentum = momentum
    if (affine) {
      this.weight = new Parameter([numFeatures])
      this.bias = new Parameter([numFeatures])
      constant(this.weight, 1)
    }
    if (trackRunningStats) {
      this.running_mean = new LayerBuffer([numFeatures])
      this.running_var = new LayerBuffer([numFeatures], 'f32', new Float32Array(numFeatures).fill(1))
      this.num_batches_tracked = new LayerBuffer([], 'i64')
    }
  }

  override forward(x: Tensor): Tensor {
    expectChannels(this.constructor.name, x, this.numFeatures, this.ranks)
    const options = { weight: this.weight, bias: this.bias, epsilon: this.eps }
    const { running_mean: mean, running_var: variance } = this
    const training = x.builder.training && this.training
    if (mean && variance && !training) return batchNormInference(x, { mean, variance }, options)
    const result = batchNorm(x, options)
    if (training) this.#track(x, result)
    return result.output
  }

  /** Running statistics move towards those of this batch. */
  #track(x: Tensor, batch: { readonly mean: Tensor; readonly variance: Tensor }): void {
    const { running_mean, running_var, num_batches_tracked } = this
    if (!running_mean || !running_var || !num_batches_tracked) return
    const { builder } = x
    const count = builder.updated(num_batches_tracked).add(1)
    const values = sizeOf(x.shape as readonly number[]) / this.numFeatures
    const share = this.momentum ?? count.cast('f32').reciprocal()
    const follow = (running: LayerBuffer, value: Tensor) => {
      const old = builder.updated(running)
      builder.update(running, old.add(value.sub(old).mul(share)))
    }
    follow(running_mean, batch.mean)
    follow(running_var, batch.variance.mul(values / (values - 1)))
    builder.update(num_batches_tracked, count)
  }
}

/** Of x [N, C] or [N, C, L]. */
export class BatchNorm1d extends BatchNorm {
  protected override readonly ranks = [2, 3]
}

/** Of x [N, C, H, W]. */
export class BatchNorm2d extends BatchNorm {
  protected override readonly ranks = [4]
}
