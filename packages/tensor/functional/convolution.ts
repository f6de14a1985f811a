import type { Operand } from '../builder.js'
import { TensorError } from '../errors.js'
import type { Tensor } from '../tensor.js'
import { type PerDimension, perDimension } from './per-dimension.js'

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

/** Cross-correlation of x [N, C, L] with weight [O, C/groups, k], plus bias [O]; as `torch.nn.functional.conv1d`. */
export function conv1d(x: Tensor, weight: Operand, bias?: Operand, options: ConvolutionOptions = {}): Tensor {
  return convolution('conv1d', 1, x, weight, bias, options)
}

/** Cross-correlation of x [N, C, H, W] with weight [O, C/groups, kH, kW], plus bias [O]; as `torch.nn.functional.conv2d`. */
export function conv2d(x: Tensor, weight: Operand, bias?: Operand, options: ConvolutionOptions = {}): Tensor {
  return convolution('conv2d', 2, x, weight, bias, options)
}

export interface ConvTransposeOptions {
  /** Default 1. */
  readonly stride?: PerDimension
  /** Taken from both ends of each dimension of the result. Default 0. */
  readonly padding?: PerDimension
  /** Added to the end of each dimension, less than the stride: which of the sizes a convolution maps to one. Default 0. */
  readonly outputPadding?: PerDimension
  /** Distance of the kernel's taps. Default 1. */
  readonly dilation?: PerDimension
  /** Channels fall into so many groups that do not see each other. Default 1. */
  readonly groups?: number
}

/** A transposed convolution over `count` spatial dimensions with PyTorch's options. */
function transposed(
  op: string,
  count: number,
  x: Tensor,
  weight: Operand,
  bias: Operand | undefined,
  options: ConvTransposeOptions,
) {
  const { groups = 1 } = options
  const both = perDimension(op, 'padding', options.padding ?? 0, count, 0)
  const inputs = [x, weight, bias].flatMap((operand) => (operand === undefined ? [] : [x.builder.lift(operand)]))
  const attributes = {
    stride: perDimension(op, 'stride', options.stride ?? 1, count, 1),
    pads: [...both, ...both],
    dilation: perDimension(op, 'dilation', options.dilation ?? 1, count, 1),
    outputPadding: perDimension(op, 'outputPadding', options.outputPadding ?? 0, count, 0),
    groups,
  }
  return x.builder.apply('convTranspose', inputs, attributes)[0]!
}

/**
 * The adjoint of `conv1d`: x [N, C, L] and weight [C, O/groups, k] to [N, O, (L - 1)·stride - 2·padding + dilation·(k - 1) +
 * outputPadding + 1], plus bias [O]; as `torch.nn.functional.conv_transpose1d`.
 */
export function convTranspose1d(x: Tensor, weight: Operand, bias?: Operand, options: ConvTransposeOptions = {}): Tensor {
  return transposed('convTranspose1d', 1, x, weight, bias, options)
}

/** The adjoint of `conv2d`: x [N, C, H, W] and weight [C, O/groups, kH, kW] to [N, O, H', W']; sizes as `convTranspose1d`. */
export function convTranspose2d(x: Tensor, weight: Operand, bias?: Operand, options: ConvTransposeOptions = {}): Tensor {
  return transposed('convTranspose2d', 2, x, weight, bias, options)
}
