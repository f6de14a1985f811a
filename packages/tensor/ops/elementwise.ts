import type { Operand } from '../builder.js'
import type { DType } from '../dtype.js'
import { dtypes, isFloat } from '../dtype.js'
import type { Attributes, Value } from '../program.js'
import type { Tensor } from '../tensor.js'
import {
  broadcast,
  defineOps,
  expectDtype,
  type LowerContext,
  type OnnxAttribute,
  type OpDefinition,
  type VjpContext,
} from './define.js'

/** Sums a gradient over the dimensions that broadcasting repeated, back to the operand's shape. */
export function unbroadcast(gradient: Tensor, target: Value): Tensor {
  const lead = gradient.rank - target.shape.length
  const axes = gradient.shape
    .map((_, axis) => axis)
    .filter((axis) => axis < lead || (target.shape[axis - lead] === 1 && gradient.shape[axis] !== 1))
  if (axes.length === 0) return gradient
  return gradient.sum(axes, { keepDims: true }).reshape(target.shape)
}

export const pick = (condition: Tensor, yes: Operand, no: Operand) => condition.where(yes, no)

export const numeric: readonly DType[] = ['f32', 'i32', 'i64', 'u8']

type BinaryVjp = (a: Tensor, b: Tensor, gradient: Tensor, result: Tensor) => [Tensor | undefined, Tensor | undefined]

interface BinaryRule {
  readonly vjp?: BinaryVjp
  /** What both operands may be. Default: all numbers. */
  readonly dtypes?: readonly DType[]
  /** Default: the operands' dtype. */
  readonly result?: DType
  readonly lower?: OpDefinition['lower']
}

/** An op of two tensors of one dtype that broadcast; `onnx` is the operator it becomes, unless `lower` says otherwise. */
export function binary(name: string, onnx: string, summary: string, rule: BinaryRule = {}): OpDefinition {
  const { vjp, dtypes: allowed = numeric, result } = rule
  return {
    summary,
    infer([a, b]) {
      expectDtype(name, a!, ...allowed)
      expectDtype(name, b!, a!.dtype)
      return [{ shape: broadcast(name, a!.shape, b!.shape), dtype: result ?? a!.dtype }]
    },
    ...(vjp && {
      vjp({ inputs: [a, b], outputs: [y], gradients: [dy] }: VjpContext) {
        const [da, db] = vjp(a!, b!, dy!, y!)
        return [da && unbroadcast(da, a!), db && unbroadcast(db, b!)]
      },
    }),
    lower:
      rule.lower ??
      (({ inputs: [a, b], outputs: [y], emit }) => {
        emit(onnx, [a!.name, b!.name], {}, { outputs: [y!.name] })
      }),
  }
}

interface UnaryRule {
  /** Absent: the derivative is zero wherever there is one. */
  readonly vjp?: (x: Tensor, gradient: Tensor, y: Tensor, attributes: Attributes) => Tensor
  readonly dtypes?: readonly DType[]
  readonly result?: DType
  /** Attributes of the ONNX node. */
  readonly attributes?: (attributes: Attributes) => Readonly<Record<string, OnnxAttribute>>
  readonly domain?: string
  readonly lower?: OpDefinition['lower']
}

/** An op of each element by itself; of f32 unless the rule says otherwise. */
export function unary(name: string, onnx: string, summary: string, rule: UnaryRule = {}): OpDefinition {
  const { vjp, dtypes: allowed = ['f32'], result, attributes: nodeAttributes, domain = '' } = rule
  return {
    summary,
    infer([x]) {
      expectDtype(name, x!, ...allowed)
      return [{ shape: x!.shape, dtype: result ?? x!.dtype }]
    },
    vjp: ({ inputs: [x], outputs: [y], gradients: [dy], attributes }) => [vjp?.(x!, dy!, y!, attributes)],
    lower:
      rule.lower ??
      (({ inputs: [x], outputs: [y], attributes, emit }) => {
        emit(onnx, [x!.name], nodeAttributes?.(attributes) ?? {}, { outputs: [y!.name], domain })
      }),
  }
}

const isInteger = ({ dtype }: Value) => dtype !== 'f32'

/** C's remainder of f32, and where its sign is not the divisor's. ONNX has Python's remainder for integers only. */
function emitRemainder(a: string, b: string, emit: LowerContext['emit'], scalar: LowerContext['scalar']) {
  const remainder = emit('Mod', [a, b], { fmod: 1 })
  const opposite = emit('Less', [emit('Mul', [emit('Sign', [remainder]), emit('Sign', [b])]), scalar(0)])
  return { remainder, opposite }
}

export const elementwise = defineOps({
  add: binary('add', 'Add', 'a + b', { vjp: (_a, _b, dy) => [dy, dy] }),
  sub: binary('sub', 'Sub', 'a - b', { vjp: (_a, _b, dy) => [dy, dy.neg()] }),
  mul: binary('mul', 'Mul', 'a · b', { vjp: (a, b, dy) => [dy.mul(b), dy.mul(a)] }),
  div: binary('div', 'Div', 'a / b', {
    dtypes: ['f32'],
    vjp(_a, b, dy, y) {
      const da = dy.div(b)
      return [da, da.mul(y).neg()]
    },
  }),
  floorDivide: binary('floorDivide', 'Div', '⌊a / b⌋; for integers a division by zero fails the run', {
    vjp: () => [undefined, undefined],
    lower({ inputs: [a, b], outputs: [y], emit, scalar }) {
      const options = { outputs: [y!.name] }
      if (isInteger(a!)) {
        emit('Div', [emit('Sub', [a!.name, emit('Mod', [a!.name, b!.name])]), b!.name], {}, options)
        return
      }
      const { remainder, opposite } = emitRemainder(a!.name, b!.name, emit, scalar)
      // a - fmod(a, b) is a multiple of b up to rounding, so the quotient is within rounding of a whole number.
      const towardZero = emit('Round', [emit('Div', [emit('Sub', [a!.name, remainder]), b!.name])])
      const whole = emit('Sub', [towardZero, emit('Where', [opposite, scalar(1), scalar(0)])])
      const zero = emit('Equal', [b!.name, scalar(0)])
      emit('Where', [zero, emit('Div', [a!.name, b!.name]), whole], {}, options)
    },
  }),
  remainder: binary('remainder', 'Mod', 'a - b · ⌊a / b⌋: the remainder with the sign of b, as in Python', {
    vjp: (a, b, dy) => [dy, dy.mul(a.floorDivide(b)).neg()],
    lower({ inputs: [a, b], outputs: [y], emit, scalar }) {
      const options = { outputs: [y!.name] }
      if (isInteger(a!)) {
        emit('Mod', [a!.name, b!.name], {}, options)
        return
      }
      const { remainder, opposite } = emitRemainder(a!.name, b!.name, emit, scalar)
      emit('Where', [opposite, emit('Add', [remainder, b!.name]), remainder], {}, options)
    },
  }),
  fmod: binary('fmod', 'Mod', 'a - b · trunc(a / b): the remainder with the sign of a, as in C', {
    vjp: (a, b, dy) => [dy, dy.mul(a.div(b).trunc()).neg()],
    lower({ inputs: [a, b], outputs: [y], emit }) {
      emit('Mod', [a!.name, b!.name], { fmod: 1 }, { outputs: [y!.name] })
    },
  }),
  pow: binary('pow', 'Pow', 'a to the power of b; by b there is no derivative (NaN) where a < 0, and it is 0 where a = 0 ≤ b', {
    dtypes: ['f32', 'i32', 'i64'],
    vjp: (a, b, dy, y) => [
      // At a = b = 0 this is 0 · 0^-1; the exponent 1 there makes it the 0 it should be.
      dy.mul(b).mul(a.pow(pick(a.equal(0), pick(b.equal(0), 1, b.sub(1)), b.sub(1)))),
      dy.mul(y).mul(pick(a.equal(0).logicalAnd(b.greaterEqual(0)), 1, a).log()),
    ],
  }),
  maximum: binary('maximum', 'Max', 'the larger of a and b; at a tie each gets half of the gradient', {
    vjp(a, b, dy) {
      const share = pick(a.equal(b), 0.5, pick(a.greater(b), 1, 0))
      return [dy.mul(share), dy.mul(share.neg().add(1))]
    },
  }),
  minimum: binary('minimum', 'Min', 'the smaller of a and b; at a tie each gets half of the gradient', {
    vjp(a, b, dy) {
      const share = pick(a.equal(b), 0.5, pick(a.less(b), 1, 0))
      return [dy.mul(share), dy.mul(share.neg().add(1))]
    },
  }),

  neg: unary('neg', 'Neg', '-x', { dtypes: ['f32', 'i32', 'i64'], vjp: (_x, dy) => dy.neg() }),
  abs: unary('abs', 'Abs', '|x|; derivative 0 at 0', { dtypes: numeric, vjp: (x, dy) => dy.mul(x.sign()) }),
  sign: unary('sign', 'Sign', '-1, 0 or 1, as x is negative, zero or positive', { dtypes: numeric }),
  floor: unary('floor', 'Floor', 'largest integer ≤ x'),
  ceil: unary('ceil', 'Ceil', 'smallest integer ≥ x'),
  round: unary('round', 'Round', 'nearest integer; halves go to the even one'),
  clamp: {
    summary: 'x limited to min … max; derivative 0 also at the bounds',
    infer([x]) {
      expectDtype('clamp', x!, ...numeric)
      return [{ shape: x!.shape, dtype: x!.dtype }]
    },
    vjp({ inputs: [x], gradients: [dy], attributes: { min, max } }) {
      const inside = [
        ...(min === undefined ? [] : [x!.greater(min as number)]),
        ...(max === undefined ? [] : [x!.less(max as number)]),
      ]
      return [inside.reduce((gradient, condition) => pick(condition, gradient, 0), dy!)]
    },
    lower({ inputs: [x], outputs: [y], attributes: { min, max }, emit, scalar }) {
      const bound = (value: Attributes[string] | undefined) => (value === undefined ? '' : scalar(value as number, x!.dtype))
      emit('Clip', [x!.name, bound(min), bound(max)], {}, { outputs: [y!.name] })
    },
  },

  where: {
    summary: 'condition ? a : b, elementwise',
    infer([condition, a, b]) {
      expectDtype('where', condition!, 'bool')
      expectDtype('where', b!, a!.dtype)
      return [{ shape: broadcast('where', condition!.shape, broadcast('where', a!.shape, b!.shape)), dtype: a!.dtype }]
    },
    vjp({ inputs: [condition, a, b], gradients: [dy] }) {
      return [undefined, unbroadcast(pick(condition!, dy!, 0), a!), unbroadcast(pick(condition!, 0, dy!), b!)]
    },
    lower({ inputs: [condition, a, b], outputs: [y], emit }) {
      const [c, yes, no] = [condition!.name, a!.name, b!.name]
      const options = { outputs: [y!.name] }
      // The runtime has no Where of booleans.
      if (a!.dtype === 'bool') emit('Or', [emit('And', [c, yes]), emit('And', [emit('Not', [c]), no])], {}, options)
      else emit('Where', [c, yes, no], {}, options)
    },
  },

  cast: {
    summary:
      'x converted to another dtype; from floats to integers it truncates, to bool it is x ≠ 0. Gradients flow between floats, in f32',
    infer: ([x], { to }) => [{ shape: x!.shape, dtype: to as DType }],
    // The gradient of a half is f32: halves are for storage, and their sums would be too coarse.
    vjp: ({ inputs: [x], outputs: [y], gradients: [dy] }) => [isFloat(x!.dtype) && isFloat(y!.dtype) ? dy : undefined],
    lower({ inputs: [x], outputs: [y], emit }) {
      emit('Cast', [x!.name], { to: dtypes[y!.dtype].onnx }, { outputs: [y!.name] })
    },
  },

  stopGradient: {
    summary: 'x, through which no gradient flows',
    infer: ([x]) => [{ shape: x!.shape, dtype: x!.dtype }],
    vjp: () => [undefined],
    lower({ inputs: [x], outputs: [y], emit }) {
      emit('Identity', [x!.name], {}, { outputs: [y!.name] })
    },
  },
})
