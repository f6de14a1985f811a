import type { Operand } from '../builder.js'
import type { Dim } from '../program.js'
import type { Tensor } from '../tensor.js'

/** x / sqrt(mean(x²) + epsilon) · weight over the last dimension. */
export function rmsNorm(x: Tensor, weight: Operand, epsilon = 1e-6): Tensor {
  return x.builder.apply('rmsNorm', [x, x.builder.lift(weight)], { epsilon })[0]!
}

/** `[rmsNorm(a + b), a + b]` in one kernel. Inference only. */
export function addRmsNorm(a: Tensor, b: Tensor, weight: Operand, epsilon = 1e-6): [Tensor, Tensor] {
  const [normalized, sum] = a.builder.apply('addRmsNorm', [a, b, a.builder.lift(weight)], { epsilon })
  return [normalized!, sum!]
}

export interface NormalizationOptions {
  /** Factor on the normalized numbers. Default: none. */
  readonly weight?: Operand | undefined
  /** Added to them. Default: nothing. */
  readonly bias?: Operand | undefined
  /** Added to the variance. Default 1e-5. */
  readonly epsilon?: number
}

const filled = (x: Tensor, shape: readonly Dim[], value: number) => {
  const sizes = shape as readonly number[]
  return x.builder.constant(new Float32Array(sizes.reduce((product, size) => product * size, 1)).fill(value), sizes)
}

/**
 * (x - mean) / sqrt(variance + epsilon) · weight + bias over the last dimensions, which have the shape `normalizedShape`, as
 * `torch.nn.functional.layer_norm`.
 * @throws TensorError SHAPE_MISMATCH when x does not end in `normalizedShape`, or weight or bias have another shape
 */
export function layerNorm(x: Tensor, normalizedShape: readonly number[], options: NormalizationOptions = {}): Tensor {
  const { weight, bias, epsilon = 1e-5 } = options
  const { builder } = x
  const axis = x.rank - normalizedShape.length
  // A weight is what the op checks x against; the kernel wants one anyway, and a bias only together with it.
  const needed = bias !== undefined || x.shape.slice(Math.max(axis, 0)).join() !== normalizedShape.join()
  const scale = weight ?? (needed ? filled(x, normalizedShape, 1) : undefined)
  const inputs = [x, scale, bias].flatMap((operand) => (operand === undefined ? [] : [builder.lift(operand)]))
  return builder.apply('layerNorm', inputs, { axis: Math.max(axis, 0), epsilon })[0]!
}

/**
 * Each of `groups` groups of channels of x [N, C, ...] by its own mean and variance (Wu & He 2018), then weight [C] and bias
 * [C], as `torch.nn.functional.group_norm`. C must be a multiple of `groups`.
 * @throws TensorError SHAPE_MISMATCH
 */
export function groupNorm(x: Tensor, groups: number, { weight, bias, epsilon = 1e-5 }: NormalizationOptions = {}): Tensor {
  const [batch, channels, ...positions] = x.shape
  const size = [channels!, ...positions].reduce<number>((product, dim) => product * (dim as number), 1) / groups
  const grouped = x.reshape([batch!, groups, size])
  const normalized = layerNorm(grouped, [size], { epsilon }).reshape(x.shape)
  const perChannel = (operand: Operand) => x.builder.lift(operand).reshape([channels!, ...positions.map(() => 1)])
  const scaled = weight === undefined ? normalized : normalized.mul(perChannel(weight))
  return bias === undefined ? scaled : scaled.add(perChannel(bias))
}

/** Each channel of each sample of x [N, C, ...] by its own mean and variance (Ulyanov et al. 2016), as `instance_norm`. */
export function instanceNorm(x: Tensor, options: NormalizationOptions = {}): Tensor {
  return groupNorm(x, x.shape[1] as number, options)
}

const channelVector = (x: Tensor, operand: Operand | undefined, value: number) =>
  operand === undefined ? filled(x, x.shape.slice(1, 2), value) : x.builder.lift(operand)

/**
 * Each channel of x [N, C, ...] by its mean and variance in this batch, then weight [C] and bias [C]: batch normalisation
 * while training. `mean` [C] and `variance` [C] (of the population: divided by the number of values) come along.
 * @throws TensorError SHAPE_MISMATCH, also for fewer than two values per channel
 */
export function batchNorm(
  x: Tensor,
  { weight, bias, epsilon = 1e-5 }: NormalizationOptions = {},
): { output: Tensor; mean: Tensor; variance: Tensor } {
  const inputs = [x, channelVector(x, weight, 1), channelVector(x, bias, 0)]
  const [output, mean, variance] = x.builder.apply('batchNorm', inputs, { epsilon })
  return { output: output!, mean: mean!, variance: variance! }
}

/** Batch normalisation in evaluation: x [N, C, ...] by given statistics `mean` [C] and `variance` [C]. */
export function batchNormInference(
  x: Tensor,
  statistics: { readonly mean: Operand; readonly variance: Operand },
  { weight, bias, epsilon = 1e-5 }: NormalizationOptions = {},
): Tensor {
  const { builder } = x
  const inputs = [x, channelVector(x, weight, 1), channelVector(x, bias, 0)]
  const { mean, variance } = statistics
  return builder.apply('batchNormInference', [...inputs, builder.lift(mean), builder.lift(variance)], { epsilon })[0]!
}
