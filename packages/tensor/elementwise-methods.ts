import type { Builder, Operand } from './builder.js'
import type { DType } from './dtype.js'
import { isFloat } from './dtype.js'
import { TensorError } from './errors.js'
import type { OpName } from './ops/index.js'
import type { Attributes } from './program.js'
import type { Tensor } from './tensor.js'

/**
 * The elementwise methods of `Tensor`. Operands broadcast and have one dtype; a plain number takes the tensor's. Names and
 * semantics are those of PyTorch's methods.
 */
export abstract class ElementwiseMethods {
  abstract readonly builder: Builder
  abstract readonly dtype: DType

  /** Records an op whose first input is this tensor; returns its first output. */
  abstract record(op: OpName, rest?: readonly Tensor[], attributes?: Attributes): Tensor
  abstract cast(dtype: DType): Tensor

  add(other: Operand): Tensor {
    return this.binary('add', other)
  }
  sub(other: Operand): Tensor {
    return this.binary('sub', other)
  }
  mul(other: Operand): Tensor {
    return this.binary('mul', other)
  }
  /** The quotient in f32, also of integers; `floorDivide` stays with integers. */
  div(this: Tensor, other: Operand): Tensor {
    return real(this).record('div', [real(this.builder.lift(other))])
  }
  /** ⌊this / other⌋. A division of integers by zero fails the run. */
  floorDivide(other: Operand): Tensor {
    return this.binary('floorDivide', other)
  }
  /** The remainder with the sign of the divisor (Python's %). */
  remainder(other: Operand): Tensor {
    return this.binary('remainder', other)
  }
  /** The remainder with the sign of this (C's fmod). */
  fmod(other: Operand): Tensor {
    return this.binary('fmod', other)
  }
  pow(exponent: Operand): Tensor {
    return this.binary('pow', exponent)
  }
  /** Angle of the point (other, this), in radians. */
  atan2(other: Operand): Tensor {
    return this.binary('atan2', other)
  }
  maximum(other: Operand): Tensor {
    return this.binary('maximum', other)
  }
  minimum(other: Operand): Tensor {
    return this.binary('minimum', other)
  }
  /** Limited to `min` … `max`, either of which may be left out. The gradient at a bound is 0. */
  clamp(min?: number, max?: number): Tensor {
    return this.record('clamp', [], bounds(min, max))
  }
  /** this + weight · (end - this) */
  lerp(this: Tensor, end: Operand, weight: Operand): Tensor {
    return this.add(this.builder.lift(end, this.dtype).sub(this).mul(weight))
  }

  equal(other: Operand): Tensor {
    return this.binary('equal', other)
  }
  notEqual(other: Operand): Tensor {
    return this.equal(other).logicalNot()
  }
  less(other: Operand): Tensor {
    return this.binary('less', other)
  }
  lessEqual(other: Operand): Tensor {
    return this.binary('lessEqual', other)
  }
  greater(other: Operand): Tensor {
    return this.binary('greater', other)
  }
  greaterEqual(other: Operand): Tensor {
    return this.binary('greaterEqual', other)
  }
  /** Truth of elements is `≠ 0`, as in the other logical methods. */
  logicalAnd(other: Operand): Tensor {
    return this.#logical('logicalAnd', other)
  }
  logicalOr(other: Operand): Tensor {
    return this.#logical('logicalOr', other)
  }
  logicalXor(other: Operand): Tensor {
    return this.#logical('logicalXor', other)
  }
  logicalNot(): Tensor {
    return this.cast('bool').record('logicalNot')
  }
  isNaN(): Tensor {
    return this.record('isNaN')
  }
  isInf(): Tensor {
    return this.abs().equal(Number.POSITIVE_INFINITY)
  }
  isFinite(): Tensor {
    return this.abs().less(Number.POSITIVE_INFINITY)
  }

  neg(): Tensor {
    return this.record('neg')
  }
  abs(): Tensor {
    return this.record('abs')
  }
  sign(): Tensor {
    return this.record('sign')
  }
  floor(): Tensor {
    return this.record('floor')
  }
  ceil(): Tensor {
    return this.record('ceil')
  }
  /** Halves go to the even neighbour. */
  round(): Tensor {
    return this.record('round')
  }
  trunc(): Tensor {
    return this.less(0).where(this.ceil(), this.floor())
  }

  square(this: Tensor): Tensor {
    return this.mul(this)
  }
  sqrt(): Tensor {
    return this.record('sqrt')
  }
  rsqrt(): Tensor {
    return this.sqrt().reciprocal()
  }
  reciprocal(): Tensor {
    return this.record('reciprocal')
  }
  exp(): Tensor {
    return this.record('exp')
  }
  exp2(this: Tensor): Tensor {
    return this.builder.scalar(2).pow(this)
  }
  /** e^this - 1, exact near 0. */
  expm1(): Tensor {
    return this.record('expm1')
  }
  log(): Tensor {
    return this.record('log')
  }
  log2(): Tensor {
    return this.log().mul(Math.LOG2E)
  }
  log10(): Tensor {
    return this.log().mul(Math.LOG10E)
  }
  /** log(1 + this), exact near 0. */
  log1p(): Tensor {
    return this.record('log1p')
  }
  erf(): Tensor {
    return this.record('erf')
  }
  sin(): Tensor {
    return this.record('sin')
  }
  cos(): Tensor {
    return this.record('cos')
  }
  tan(): Tensor {
    return this.record('tan')
  }
  asin(): Tensor {
    return this.record('asin')
  }
  acos(): Tensor {
    return this.record('acos')
  }
  atan(): Tensor {
    return this.record('atan')
  }
  sinh(): Tensor {
    return this.record('sinh')
  }
  cosh(): Tensor {
    return this.record('cosh')
  }
  tanh(): Tensor {
    return this.record('tanh')
  }
  asinh(): Tensor {
    return this.record('asinh')
  }
  acosh(): Tensor {
    return this.record('acosh')
  }
  atanh(): Tensor {
    return this.record('atanh')
  }
  sigmoid(): Tensor {
    return this.record('sigmoid')
  }
  relu(): Tensor {
    return this.record('relu')
  }
  silu(): Tensor {
    return this.record('silu')
  }

  protected binary(op: OpName, other: Operand): Tensor {
    return this.record(op, [this.builder.lift(other, this.dtype)])
  }

  #logical(op: OpName, other: Operand): Tensor {
    return this.cast('bool').record(op, [this.builder.lift(other, 'bool').cast('bool')])
  }
}

const real = (x: Tensor) => (isFloat(x.dtype) ? x : x.cast('f32'))

/** The attributes of `clamp`; an infinite bound is none, since attributes are JSON. */
function bounds(min?: number, max?: number): Attributes {
  if (Number.isNaN(min) || Number.isNaN(max))
    throw new TensorError('INVALID_ARGUMENT', `clamp: the bounds must be numbers, given ${min} and ${max}.`)
  return {
    ...(min !== undefined && min !== Number.NEGATIVE_INFINITY && { min }),
    ...(max !== undefined && max !== Number.POSITIVE_INFINITY && { max }),
  }
}
