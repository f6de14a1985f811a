import type { Operand } from '../builder.js'
import { TensorError } from '../errors.js'
import { shapeError } from '../ops/define.js'
import type { OpName } from '../ops/index.js'
import type { Tensor } from '../tensor.js'

/** Nonlinearities by the names and with the defaults of `torch.nn.functional`; `relu`, `silu`, `tanh`, … are methods. */

const apply = (op: OpName) => (x: Tensor) => x.record(op)

/** x where x > 0, else slope · x. Default slope 0.01. */
export const leakyRelu = (x: Tensor, slope = 0.01): Tensor => x.record('leakyRelu', [], { alpha: slope })

/** x where x > 0, else alpha · (e^x - 1). Default alpha 1. */
export const elu = (x: Tensor, alpha = 1): Tensor => x.record('elu', [], { alpha })

/** x where x > 0, else alpha · (e^(x / alpha) - 1). Default alpha 1. */
export function celu(x: Tensor, alpha = 1): Tensor {
  if (alpha === 0) throw new TensorError('INVALID_ARGUMENT', 'celu: alpha divides x, so it cannot be 0.')
  return x.record('celu', [], { alpha })
}

/** elu with the two constants that keep mean 0 and variance 1. */
export const selu = apply('selu')
/** x / (1 + |x|) */
export const softsign = apply('softsign')
/** x · tanh(softplus(x)) */
export const mish = apply('mish')
/** x · hardsigmoid(x) */
export const hardswish = apply('hardswish')
/** x / 6 + 1/2, limited to 0 … 1 */
export const hardsigmoid = apply('hardsigmoid')

export interface GeluOptions {
  /** Default `none`. */
  readonly approximate?: 'none' | 'tanh'
}

/** x · Φ(x), or with `approximate: 'tanh'` the formula with tanh. */
export const gelu = (x: Tensor, { approximate = 'none' }: GeluOptions = {}): Tensor =>
  x.record(approximate === 'tanh' ? 'geluTanh' : 'gelu')

/**
 * x where x > 0, else weight · x. The weight holds one slope ([1]) or one for each channel, which is dimension 1 of x (the only
 * one, if there is no other).
 */
export function prelu(x: Tensor, weight: Operand): Tensor {
  const slopes = x.builder.lift(weight)
  const channelAxis = Math.min(1, x.rank - 1)
  if (slopes.rank === 0 || slopes.shape[0] === 1) return x.record('prelu', [slopes.reshape([])])
  if (slopes.rank !== 1 || slopes.shape[0] !== x.shape[channelAxis])
    throw shapeError('prelu', `the weight must have 1 element or one for each channel (dimension ${channelAxis})`, [
      x.shape,
      slopes.shape,
    ])
  const trailing = x.shape.slice(channelAxis + 1).map(() => 1)
  return x.record('prelu', [slopes.reshape([slopes.shape[0]!, ...trailing])])
}

export interface SoftplusOptions {
  /** Default 1. */
  readonly beta?: number
  /** Above beta · x = threshold the result is x. Default 20, from where f32 knows no difference. */
  readonly threshold?: number
}

/** log(1 + e^(beta · x)) / beta */
export function softplus(x: Tensor, { beta = 1, threshold = 20 }: SoftplusOptions = {}): Tensor {
  const scaled = beta === 1 ? x : x.mul(beta)
  const curve = scaled.record('softplus')
  const result = beta === 1 ? curve : curve.div(beta)
  return threshold >= 20 ? result : scaled.greater(threshold).where(x, result)
}

/** x limited to min … max (default -1 … 1) */
export const hardtanh = (x: Tensor, min = -1, max = 1): Tensor => x.clamp(min, max)

/** x limited to 0 … 6 */
export const relu6 = (x: Tensor): Tensor => hardtanh(x, 0, 6)

/** log(sigmoid(x)), without underflow. */
export const logSigmoid = (x: Tensor): Tensor => softplus(x.neg()).neg()

/** x - tanh(x) */
export const tanhshrink = (x: Tensor): Tensor => x.sub(x.tanh())

/** softmax(-x) along `axis` */
export const softmin = (x: Tensor, axis = -1): Tensor => x.neg().softmax(axis)

/** a · sigmoid(b) with a and b the two halves of x along `axis` (default -1), whose size must be even (Dauphin et al. 2016). */
export function glu(x: Tensor, axis = -1): Tensor {
  const size = x.shape.at(axis)
  if (typeof size !== 'number' || size % 2 !== 0) throw shapeError('glu', `dimension ${axis} must have an even size`, [x.shape])
  const [a, b] = x.split([size / 2, size / 2], axis)
  return a!.mul(b!.sigmoid())
}
