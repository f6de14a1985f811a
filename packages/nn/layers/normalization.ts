import { groupNorm, instanceNorm, layerNorm, type Tensor } from '@enigma/tensor'
import { NnError } from '../errors.js'
import { constant } from '../init/index.js'
import { Layer } from '../layer.js'
import { optionsOf } from '../options.js'
import { Parameter } from '../parameter.js'

export interface LayerNormOptions {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number
  /** Whether there are a weight and a bias. Default true. */
  readonly elementwiseAffine?: boolean
  /** False leaves the bias out. Default true. */
  readonly bias?: boolean
}

const filled = (shape: readonly number[], value: number) => {
  const parameter = new Parameter(shape)
  constant(parameter, value)
  return parameter
}

/** (x - mean) / sqrt(variance + eps) · weight + bias over the last dimensions, whose sizes are `normalizedShape`. */
export class LayerNorm extends Layer {
  readonly normalizedShape: readonly number[]
  readonly eps: number
  readonly weight?: Parameter
  readonly bias?: Parameter

  constructor(normalizedShape: number | readonly number[], options: LayerNormOptions = {}) {
    super()
    const { eps = 1e-5, elementwiseAffine = true, bias = true } = optionsOf('LayerNorm', options, 'eps: 1e-6')
    this.normalizedShape = typeof normalizedShape === 'number' ? [normalizedShape] : normalizedShape
    this.eps = eps
    if (elementwiseAffine) {
      this.weight = filled(this.normalizedShape, 1)
      if (bias) this.bias = filled(this.normalizedShape, 0)
    }
  }

  override forward(x: Tensor): Tensor {
    return layerNorm(x, this.normalizedShape, { weight: this.weight, bias: this.bias, epsilon: this.eps })
  }
}

export interface ChannelNormOptions {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number
  /** Whether each channel has a weight and a bias. */
  readonly affine?: boolean
}

/** Each of `numGroups` groups of the channels of x [N, C, ...] by its own mean and variance; then a weight and a bias per channel. */
export class GroupNorm extends Layer {
  readonly eps: number
  readonly weight?: Parameter
  readonly bias?: Parameter

  constructor(
    readonly numGroups: number,
    readonly numChannels: number,
    options: ChannelNormOptions = {},
  ) {
    super()
    const { eps = 1e-5, affine = true } = optionsOf('GroupNorm', options, 'eps: 1e-6')
    if (numChannels % numGroups !== 0)
      throw new NnError('INVALID_ARGUMENT', `GroupNorm: ${numGroups} groups must divide ${numChannels} channels evenly.`)
    this.eps = eps
    if (affine) {
      this.weight = filled([numChannels], 1)
      this.bias = filled([numChannels], 0)
    }
  }

  override forward(x: Tensor): Tensor {
    expectChannels('GroupNorm', x, this.numChannels)
    return groupNorm(x, this.numGroups, { weight: this.weight, bias: this.bias, epsilon: this.eps })
  }
}

/** Each channel of each sample by its own mean and variance. `affine` is false by default, as PyTorch's. */
abstract class InstanceNorm extends Layer {
  readonly eps: number
  readonly weight?: Parameter
  readonly bias?: Parameter
  protected abstract readonly ranks: readonly number[]

  constructor(
    readonly numFeatures: number,
    options: ChannelNormOptions = {},
  ) {
    super()
    const { eps = 1e-5, affine = false } = optionsOf(new.target.name, options, 'affine: true')
    this.eps = eps
    if (affine) {
      this.weight = filled([numFeatures], 1)
      this.bias = filled([numFeatures], 0)
    }
  }

  override forward(x: Tensor): Tensor {
    expectChannels(this.constructor.name, x, this.numFeatures, this.ranks)
    return instanceNorm(x, { weight: this.weight, bias: this.bias, epsilon: this.eps })
  }
}

/** Of x [N, C, L]. */
export class InstanceNorm1d extends InstanceNorm {
  protected override readonly ranks = [3]
}

/** Of x [N, C, H, W]. */
export class InstanceNorm2d extends InstanceNorm {
  protected override readonly ranks = [4]
}

/** @throws NnError SHAPE_MISMATCH unless x is [N, channels, ...] of one of the ranks */
export function expectChannels(layer: string, x: Tensor, channels: number, ranks?: readonly number[]): void {
  const { shape } = x
  if (shape.length >= 2 && shape[1] === channels && (ranks?.includes(shape.length) ?? true)) return
  const dimensions = ranks ? ` of ${ranks.join(' or ')} dimensions` : ''
  throw new NnError('SHAPE_MISMATCH', `${layer}: expected x [N, ${channels}, ...]${dimensions}, got [${shape.join(', ')}].`)
}
