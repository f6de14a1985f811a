import { fixed, shapeError } from '../ops/define.js'
import type { Tensor } from '../tensor.js'
import { type PerDimension, perDimension } from './per-dimension.js'

export interface MaxPoolOptions {
  /** Default: the kernel's size, so that windows touch. */
  readonly stride?: PerDimension
  /** Positions added on both sides that are never the largest; at most half of the kernel. Default 0. */
  readonly padding?: PerDimension
  /** Distance of a window's positions. Default 1. */
  readonly dilation?: PerDimension
  /** Whether a last window that hangs over the end counts, if it starts before it. Default false. */
  readonly ceilMode?: boolean
}

export interface AvgPoolOptions {
  /** Default: the kernel's size, so that windows touch. */
  readonly stride?: PerDimension
  /** Zeros on both sides; at most half of the kernel. Default 0. */
  readonly padding?: PerDimension
  /** Whether a last window that hangs over the end counts, if it starts before it. Default false. */
  readonly ceilMode?: boolean
  /** Whether the padding counts in the number that a sum is divided by. Default true. */
  readonly countIncludePad?: boolean
  /** What sums are divided by instead of the number of positions. */
  readonly divisorOverride?: number
}

interface Windows {
  readonly sizes: readonly number[]
  readonly kernel: readonly number[]
  readonly stride: readonly number[]
  readonly padding: readonly number[]
  readonly dilation: readonly number[]
  /** Positions past the padded end that the last window needs, in ceil mode. */
  readonly overhang: readonly number[]
}

function windowsOf(op: string, count: number, x: Tensor, kernelSize: PerDimension, options: MaxPoolOptions): Windows {
  if (x.rank !== count + 2)
    throw shapeError(op, `expected ${count + 2} dimensions: batch, channels and ${count} of space`, [x.shape])
  const sizes = fixed(op, x.shape.slice(2))
  const kernel = perDimension(op, 'kernelSize', kernelSize, count, 1)
  const stride = perDimension(op, 'stride', options.stride ?? kernel, count, 1)
  const padding = perDimension(op, 'padding', options.padding ?? 0, count, 0)
  const dilation = perDimension(op, 'dilation', options.dilation ?? 1, count, 1)
  if (padding.some((amount, axis) => 2 * amount > kernel[axis]!))
    throw shapeError(op, `padding [${padding.join(', ')}] must be at most half of the kernel [${kernel.join(', ')}]`, [x.shape])
  const overhang = sizes.map((size, axis) => {
    if (!options.ceilMode) return 0
    const room = size + 2 * padding[axis]! - dilation[axis]! * (kernel[axis]! - 1) - 1
    const last = Math.ceil(room / stride[axis]!) * stride[axis]!
    return last >= size + padding[axis]! ? 0 : Math.max(0, last - room)
  })
  return { sizes, kernel, stride, padding, dilation, overhang }
}

const attributesOf = ({ kernel, stride, padding, overhang }: Windows) => ({
  kernel,
  stride,
  pads: [...padding, ...padding.map((amount, axis) => amount + overhang[axis]!)],
})

/**
 * Largest elements of windows of any positions: for each spatial dimension of x [N, C, ...] a list of windows. The elements are
 * laid out window after window; a short window repeats its last one, which does not change what is largest or comes first.
 */
export function maxOfWindows(x: Tensor, windows: readonly (readonly (readonly number[])[])[]): Tensor {
  const kernel = windows.map((list) => Math.max(...list.map((window) => window.length)))
  const laidOut = windows.reduce((result, list, axis) => {
    const indices = list.flatMap((window) => Array.from({ length: kernel[axis]! }, (_, tap) => window[tap] ?? window.at(-1)!))
    if (indices.length === result.shape[axis + 2] && indices.every((position, index) => position === index)) return result
    return result.indexSelect(axis + 2, x.builder.constant(indices, [indices.length], 'i64'))
  }, x)
  const pads = kernel.flatMap(() => [0, 0])
  return x.builder.apply('maxPool', [laidOut], { kernel, stride: kernel, pads, dilation: kernel.map(() => 1) })[0]!
}

/** The positions within x that each window sees. */
function positionsOf({ sizes, kernel, stride, padding, dilation, overhang }: Windows): number[][][] {
  return sizes.map((size, axis) => {
    const room = size + 2 * padding[axis]! + overhang[axis]! - dilation[axis]! * (kernel[axis]! - 1) - 1
    return Array.from({ length: Math.floor(room / stride[axis]!) + 1 }, (_, output) =>
      Array.from({ length: kernel[axis]! }, (_, tap) => output * stride[axis]! - padding[axis]! + tap * dilation[axis]!).filter(
        (position) => position >= 0 && position < size,
      ),
    )
  })
}

function maxPool(op: string, count: number, x: Tensor, kernelSize: PerDimension, options: MaxPoolOptions): Tensor {
  const windows = windowsOf(op, count, x, kernelSize, options)
  const { kernel, padding, dilation, overhang } = windows
  // The kernel refuses to pad by as many positions as a window has, which one whose positions lie apart may hang over.
  if (kernel.some((taps, axis) => padding[axis]! + overhang[axis]! >= taps)) {
    const positions = positionsOf(windows)
    if (positions.every((list) => list.every((window) => window.length > 0))) return maxOfWindows(x, positions)
    throw shapeError(op, `a window [${kernel.join(', ')}] of dilation [${dilation.join(', ')}] lies in the padding`, [x.shape])
  }
  return x.builder.apply('maxPool', [x], { ...attributesOf(windows), dilation })[0]!
}

/** How many positions of each window along a dimension lie before `end`, and from `start` on. */
function coverage({ kernel, stride, padding }: Windows, outputs: number, axis: number, start: number, end: number): number[] {
  return Array.from({ length: outputs }, (_, output) => {
    const first = output * stride[axis]! - padding[axis]!
    return Math.min(first + kernel[axis]!, end) - Math.max(first, start)
  })
}

function avgPool(op: string, count: number, x: Tensor, kernelSize: PerDimension, options: AvgPoolOptions): Tensor {
  const windows = windowsOf(op, count, x, kernelSize, options)
  const { sizes, kernel, padding } = windows
  const mean = x.builder.apply('avgPool', [x], attributesOf(windows))[0]!
  const taps = kernel.reduce((product, size) => product * size, 1)
  const { countIncludePad = true, divisorOverride } = options
  if (divisorOverride !== undefined) return mean.mul(taps / divisorOverride)
  // The op divides by all positions of a window; where fewer count, a factor makes up for it.
  const counts = sizes.map((size, axis) => {
    const pad = countIncludePad ? padding[axis]! : 0
    return coverage(windows, mean.shape[axis + 2] as number, axis, -pad, size + pad)
  })
  const factors = counts.reduce<number[]>((all, list) => all.flatMap((a) => list.map((b) => a * b)), [1])
  if (factors.every((factor) => factor === taps)) return mean
  const table = x.builder.constant(
    Float32Array.from(factors, (factor) => taps / factor),
    mean.shape.slice(2) as number[],
  )
  return mean.mul(table)
}

/** Largest element of each window of x [N, C, L]; as `torch.nn.functional.max_pool1d`. @throws TensorError SHAPE_MISMATCH */
export function maxPool1d(x: Tensor, kernelSize: PerDimension, options: MaxPoolOptions = {}): Tensor {
  return maxPool('maxPool1d', 1, x, kernelSize, options)
}

/** Largest element of each window of x [N, C, H, W]; as `torch.nn.functional.max_pool2d`. @throws TensorError SHAPE_MISMATCH */
export function maxPool2d(x: Tensor, kernelSize: PerDimension, options: MaxPoolOptions = {}): Tensor {
  return maxPool('maxPool2d', 2, x, kernelSize, options)
}

/** Mean of each window of x [N, C, L]; as `torch.nn.functional.avg_pool1d`. @throws TensorError SHAPE_MISMATCH */
export function avgPool1d(x: Tensor, kernelSize: PerDimension, options: AvgPoolOptions = {}): Tensor {
  return avgPool('avgPool1d', 1, x, kernelSize, options)
}

/** Mean of each window of x [N, C, H, W]; as `torch.nn.functional.avg_pool2d`. @throws TensorError SHAPE_MISMATCH */
export function avgPool2d(x: Tensor, kernelSize: PerDimension, options: AvgPoolOptions = {}): Tensor {
  return avgPool('avgPool2d', 2, x, kernelSize, options)
}
