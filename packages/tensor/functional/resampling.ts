import { type AxisWeights, axisWeights, weightSpace } from '../ops/axis-weights.js'
import { fixed, shapeError } from '../ops/define.js'
import type { Tensor } from '../tensor.js'
import { type PerDimension, perDimension } from './per-dimension.js'
import { maxOfWindows } from './pooling.js'

/** Sizes of the spatial dimensions of x [N, C, ...]. */
function spaceOf(op: string, x: Tensor, count: number): number[] {
  if (x.rank !== count + 2)
    throw shapeError(op, `expected ${count + 2} dimensions: batch, channels and ${count} of space`, [x.shape])
  return fixed(op, x.shape.slice(2))
}

/** The window of each output of an adaptive pooling: [start, end). */
const adaptiveWindows = (size: number, outputs: number) =>
  Array.from(
    { length: outputs },
    (_, output) => [Math.floor((output * size) / outputs), Math.ceil(((output + 1) * size) / outputs)] as const,
  )

function adaptiveAvgPool(op: string, count: number, x: Tensor, outputSize: PerDimension): Tensor {
  const sizes = spaceOf(op, x, count)
  const outputs = perDimension(op, 'outputSize', outputSize, count, 1)
  if (outputs.every((size) => size === 1))
    return x.mean(
      sizes.map((_, axis) => axis + 2),
      { keepDims: true },
    )
  if (outputs.every((size, axis) => sizes[axis]! % size === 0)) {
    const kernel = outputs.map((size, axis) => sizes[axis]! / size)
    return x.builder.apply('avgPool', [x], { kernel, stride: kernel, pads: kernel.flatMap(() => [0, 0]) })[0]!
  }
  const maps = outputs.map((size, axis) => {
    const weights = axisWeights(size, sizes[axis]!)
    for (const [output, [start, end]] of adaptiveWindows(sizes[axis]!, size).entries())
      for (let input = start; input < end; input++) weights.add(output, input, 1 / (end - start))
    return weights
  })
  return weightSpace(x, maps)
}

/** Means of windows of x [N, C, L] that divide it into `outputSize` parts; as `adaptive_avg_pool1d`. */
export function adaptiveAvgPool1d(x: Tensor, outputSize: number): Tensor {
  return adaptiveAvgPool('adaptiveAvgPool1d', 1, x, outputSize)
}

/** Means of windows of x [N, C, H, W] that divide it into `outputSize` parts; 1 is the global mean; as `adaptive_avg_pool2d`. */
export function adaptiveAvgPool2d(x: Tensor, outputSize: PerDimension): Tensor {
  return adaptiveAvgPool('adaptiveAvgPool2d', 2, x, outputSize)
}

function adaptiveMaxPool(op: string, count: number, x: Tensor, outputSize: PerDimension): Tensor {
  const outputs = perDimension(op, 'outputSize', outputSize, count, 1)
  const windows = spaceOf(op, x, count).map((size, axis) =>
    adaptiveWindows(size, outputs[axis]!).map(([start, end]) => Array.from({ length: end - start }, (_, tap) => start + tap)),
  )
  return maxOfWindows(x, windows)
}

/** Largest elements of windows of x [N, C, L] that divide it into `outputSize` parts; as `adaptive_max_pool1d`. */
export function adaptiveMaxPool1d(x: Tensor, outputSize: number): Tensor {
  return adaptiveMaxPool('adaptiveMaxPool1d', 1, x, outputSize)
}

/** Largest elements of windows of x [N, C, H, W] that divide it into `outputSize` parts; as `adaptive_max_pool2d`. */
export function adaptiveMaxPool2d(x: Tensor, outputSize: PerDimension): Tensor {
  return adaptiveMaxPool('adaptiveMaxPool2d', 2, x, outputSize)
}

export type InterpolationMode = 'nearest' | 'nearest-exact' | 'linear' | 'bilinear' | 'bicubic' | 'area'

export interface InterpolateOptions {
  /** Size of the result's spatial dimensions; this or `scaleFactor`. */
  readonly size?: PerDimension
  /** Factor on each size; the result's sizes are rounded down. Positions are computed with it as it is. */
  readonly scaleFactor?: PerDimension
  /** Default 'nearest'. 'linear' is for [N, C, L], 'bilinear' and 'bicubic' for [N, C, H, W]. */
  readonly mode?: InterpolationMode
  /** Whether the corners' centres keep their place, for the linear and cubic modes. Default false. */
  readonly alignCorners?: boolean
}

/** One dimension of a resizing: its sizes and the distance of two results in the input. */
interface Resizing {
  readonly inputs: number
  readonly outputs: number
  readonly step: number
  readonly alignCorners: boolean
}

function nearestIndices({ inputs, outputs, step }: Resizing, exact: boolean): number[] {
  // In single precision, as PyTorch, so that the same side is taken where a position falls between two.
  const scale = Math.fround(step)
  return Array.from({ length: outputs }, (_, output) =>
    Math.min(Math.floor(Math.fround((exact ? output + 0.5 : output) * scale)), inputs - 1),
  )
}

const positionOf = ({ step, alignCorners }: Resizing, output: number) =>
  alignCorners ? output * step : (output + 0.5) * step - 0.5

function linearWeights(resizing: Resizing): AxisWeights {
  const { inputs, outputs } = resizing
  const weights = axisWeights(outputs, inputs)
  for (let output = 0; output < outputs; output++) {
    const position = Math.max(positionOf(resizing, output), 0)
    const low = Math.min(Math.floor(position), inputs - 1)
    const share = Math.min(position - low, 1)
    weights.add(output, low, 1 - share)
    weights.add(output, Math.min(low + 1, inputs - 1), share)
  }
  return weights
}

/** Cubic convolution with a = -0.75 (Keys 1981); positions outside take the nearest element. */
function cubicWeights(resizing: Resizing): AxisWeights {
  const { inputs, outputs } = resizing
  const a = -0.75
  const weight = (distance: number) => {
    const d = Math.abs(distance)
    return d <= 1 ? ((a + 2) * d - (a + 3)) * d * d + 1 : (((d - 5) * d + 8) * d - 4) * a
  }
  const weights = axisWeights(outputs, inputs)
  for (let output = 0; output < outputs; output++) {
    const position = positionOf(resizing, output)
    const low = Math.floor(position)
    for (let input = low - 1; input <= low + 2; input++)
      weights.add(output, Math.min(Math.max(input, 0), inputs - 1), weight(position - input))
  }
  return weights
}

const linearModes: Readonly<Record<string, { readonly space: number; readonly weights: (resizing: Resizing) => AxisWeights }>> = {
  linear: { space: 1, weights: linearWeights },
  bilinear: { space: 2, weights: linearWeights },
  bicubic: { space: 2, weights: cubicWeights },
}

/**
 * x [N, C, L] or [N, C, H, W] with its spatial dimensions resized; as `torch.nn.functional.interpolate`.
 * @throws TensorError SHAPE_MISMATCH
 */
export function interpolate(
  x: Tensor,
  { size, scaleFactor, mode = 'nearest', alignCorners = false }: InterpolateOptions,
): Tensor {
  const count = linearModes[mode]?.space ?? Math.max(x.rank - 2, 1)
  const inputs = spaceOf('interpolate', x, count)
  if ((size === undefined) === (scaleFactor === undefined))
    throw shapeError('interpolate', 'give either size or scaleFactor', [x.shape])
  const factors = typeof scaleFactor === 'number' ? inputs.map(() => scaleFactor) : scaleFactor
  if (factors && (factors.length !== count || factors.some((factor) => !(factor > 0))))
    throw shapeError('interpolate', `scaleFactor must be positive, or ${count} such numbers; got [${factors.join(', ')}]`, [
      x.shape,
    ])
  const outputs = perDimension(
    'interpolate',
    'size',
    size ?? inputs.map((extent, axis) => Math.floor(extent * factors![axis]!)),
    count,
    1,
  )
  if (alignCorners && !linearModes[mode])
    throw shapeError('interpolate', `alignCorners is for the linear and cubic modes, not for '${mode}'`, [x.shape])
  if (mode === 'area') return adaptiveAvgPool('interpolate', count, x, outputs)
  const resizings = inputs.map((extent, axis): Resizing => {
    const to = outputs[axis]!
    const step = alignCorners ? (to > 1 ? (extent - 1) / (to - 1) : 0) : factors ? 1 / factors[axis]! : extent / to
    // PyTorch's nearest mode for images takes sizes that stay or double as just that, whatever the factor was.
    const exactly = mode === 'nearest' && count === 2 && (to === extent || to === 2 * extent)
    return { inputs: extent, outputs: to, step: exactly ? extent / to : step, alignCorners }
  })
  const linear = linearModes[mode]
  if (linear) return weightSpace(x, resizings.map(linear.weights))
  const whole = resizings.map((resizing) => resizing.outputs / resizing.inputs)
  if (whole.every((factor, axis) => Number.isInteger(factor) && resizings[axis]!.step === 1 / factor))
    return x.builder.apply('upsample', [x], { factors: whole })[0]!
  return resizings.reduce((result, resizing, axis) => {
    const indices = nearestIndices(resizing, mode === 'nearest-exact')
    return result.indexSelect(axis + 2, x.builder.constant(indices, [indices.length], 'i64'))
  }, x)
}

/** x [N, C·r², H, W] to [N, C, H·r, W·r] (Shi et al. 2016), as `torch.nn.functional.pixel_shuffle`. @throws TensorError SHAPE_MISMATCH */
export function pixelShuffle(x: Tensor, upscaleFactor: number): Tensor {
  const [height, width] = spaceOf('pixelShuffle', x, 2) as [number, number]
  const channels = fixed('pixelShuffle', x.shape.slice(1, 2))[0]! / upscaleFactor ** 2
  if (!Number.isInteger(channels))
    throw shapeError('pixelShuffle', `the channels must be a multiple of ${upscaleFactor}²`, [x.shape])
  return x
    .reshape([x.shape[0]!, channels, upscaleFactor, upscaleFactor, height, width])
    .transpose([0, 1, 4, 2, 5, 3])
    .reshape([x.shape[0]!, channels, height * upscaleFactor, width * upscaleFactor])
}

/** x [N, C, H·r, W·r] to [N, C·r², H, W], the inverse of `pixelShuffle`. @throws TensorError SHAPE_MISMATCH */
export function pixelUnshuffle(x: Tensor, downscaleFactor: number): Tensor {
  const [height, width] = spaceOf('pixelUnshuffle', x, 2).map((size) => size / downscaleFactor) as [number, number]
  const channels = fixed('pixelUnshuffle', x.shape.slice(1, 2))[0]!
  if (!Number.isInteger(height) || !Number.isInteger(width))
    throw shapeError('pixelUnshuffle', `height and width must be multiples of ${downscaleFactor}`, [x.shape])
  return x
    .reshape([x.shape[0]!, channels, height, downscaleFactor, width, downscaleFactor])
    .transpose([0, 1, 3, 5, 2, 4])
    .reshape([x.shape[0]!, channels * downscaleFactor ** 2, height, width])
}
