import type { Operand } from '../builder.js'
import { TensorError } from '../errors.js'
import type { Tensor } from '../tensor.js'

/** One number for all spatial dimensions, or one for each. */
export type PerDimension = number | readonly number[]

export interface ConvolutionOptions {
  /** Default 1. */
  readonly stride?: PerDimension
  /** Zeros on both sides of each dimension; 'same' keeps the size (stride 1 only), 'valid' is 0. Default 0. */
  readonly padding?: PerDimension | 'same' | 'valid'
  /** Distance of the kernel's taps. Default 1. */
  readonly dilation?: PerDimension
  /** Channels fall into so many groups that do not see each other. Default 1. */
  readonly groups?: number
}

/** `value` for each of `count` dimensions. @throws TensorError SHAPE_MISMATCH for a wrong count or a number out of range */
function perDimension(op: string, name: string, value: PerDimension, count: number, least: number): number[] {
  const list = typeof value === 'number' ? Array.from({ length: count }, () => value) : [...value]
  if (list.length !== count || list.some((item) => !Number.isInteger(item) || item < least))
    throw new TensorError(
      'SHAPE_MISMATCH',
      `${op}: ${name} must be a whole number of at least ${least}, or ${count} of them; got ${JSON.stringify(value)}.`,
    )
  return list
}

/** Zeros before each dimension, then after each; where 'same' needs an odd number, the larger half comes after, as in PyTorch. */
function padsOf(op: string, { stride, padding, dilation }: Required<ConvolutionOptions>, kernel: readonly number[]): number[] {
  if (padding === 'valid') return kernel.flatMap(() => [0, 0])
  if (padding !== 'same') {
    const both = perDimension(op, 'padding', padding, kernel.length, 0)
    return [...both, ...both]
  }
  if ((stride as readonly number[]).some((step) => step !== 1))
    throw new TensorError('SHAPE_MISMATCH', `${op}: padding 'same' needs stride 1, got [${stride}]. Give the padding in numbers.`)
  const total = kernel.map((size, axis) => (dilation as readonly number[])[axis]! * (size - 1))
  return [...total.map((amount) => Math.floor(amount / 2)), ...total.map((amount) => Math.ceil(amount / 2))]
}

/** A convolution over `count` spatial dimensions with PyTorch's options. */
function convolution(
  op: string,
  count: number,
  x: Tensor,
  weight: Operand,
  bias: Operand | undefined,
  options: ConvolutionOptions,
) {
  const { groups = 1 } = options
  const w = x.builder.lift(weight)
  const stride = perDimension(op, 'stride', options.stride ?? 1, count, 1)
  const dilation = perDimension(op, 'dilation', options.dilation ?? 1, count, 1)
  const kernel = w.shape.slice(2) as readonly number[]
  const pads = padsOf(op, { stride, dilation, groups, padding: options.padding ?? 0 }, kernel)
  const inputs = bias === undefined ? [x, w] : [x, w, x.builder.lift(bias)]
  return x.builder.apply('conv', inputs, { stride, pads, dilation, groups })[0]!
}

/** Cross-correlation of x [N, C, H, W] with weight [O, C/groups, kH, kW], plus bias [O]; as `torch.nn.functional.conv2d`. */
export function conv2d(x: Tensor, weight: Operand, bias?: Operand, options: ConvolutionOptions = {}): Tensor {
  return convolution('conv2d', 2, x, weight, bias, options)
}
