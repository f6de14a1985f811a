import type { Operand } from '../builder.js'
import type { DType } from '../dtype.js'
import { dtypes } from '../dtype.js'
import type { Value } from '../program.js'
import type { Tensor } from '../tensor.js'
import { broadcast, defineOps, expectDtype, type OpDefinition, type VjpContext } from './define.js'

/** Sums a gradient over the dimensions that broadcasting repeated, back to the operand's shape. */
export function unbroadcast(gradient: Tensor, target: Value): Tensor {
  const lead = gradient.rank - target.shape.length
  const axes = gradient.shape
    .map((_, axis) => axis)
    .filter((axis) => axis < lead || (target.shape[axis - lead] === 1 && gradient.shape[axis] !== 1))
  if (axes.length === 0) return gradient
  return gradient.sum(axes, { keepDims: true }).reshape(target.shape)
}

type Vjp = (a: Tensor, b: Tensor, gradient: Tensor, result: Tensor) => [Tensor | undefined, Tensor | undefined]

const arithmetic = ['f32', 'i32', 'i64'] as const

function binary(name: string, onnx: string, summary: string, vjp?: Vjp, result?: DType): OpDefinition {
  return {
    summary,
    infer([a, b]) {
      expectDtype(name, a!, ...arithmetic)
      expectDtype(name, b!, a!.dtype)
      return [{ shape: broadcast(name, a!.shape, b!.shape), dtype: result ?? a!.dtype }]
    },
    ...(vjp && {
      vjp({ inputs: [a, b], outputs: [y], gradients: [dy] }: VjpContext) {
        const [da, db] = vjp(a!, b!, dy!, y!)
        return [da && unbroadcast(da, a!), db && unbroadcast(db, b!)]
      },
    }),
    lower({ inputs: [a, b], outputs: [y], emit }) {
      emit(onnx, [a!.name, b!.name], {}, { outputs: [y!.name] })
    },
  }
}

function unary(
  name: string,
  onnx: string,
  summary: string,
  vjp: (x: Tensor, gradient: Tensor, y: Tensor) => Tensor,
  dtypesAllowed: readonly DType[] = ['f32'],
): OpDefinition {
  return {
    summary,
    infer([x]) {
      expectDtype(name, x!, ...dtypesAllowed)
      return [{ shape: x!.shape, dtype: x!.dtype }]
    },
    vjp: ({ inputs: [x], outputs: [y], gradients: [dy] }) => [vjp(x!, dy!, y!)],
    lower({ inputs: [x], outputs: [y], emit }) {
      emit(onnx, [x!.name], {}, { outputs: [y!.name] })
    },
  }
}

const pick = (condition: Tensor, yes: Operand, no: Operand) => condition.where(yes, no)

export const elementwise = defineOps({
  add: binary('add', 'Add', 'a + b', (_a, _b, dy) => [dy, dy]),
  sub: binary('sub', 'Sub', 'a - b', (_a, _b, dy) => [dy, dy.neg()]),
  mul: binary('mul', 'Mul', 'a · b', (a, b, dy) => [dy.mul(b), dy.mul(a)]),
  div: binary('div', 'Div', 'a / b', (_a, b, dy, y) => {
    const da = dy.div(b)
    return [da, da.mul(y).neg()]
  }),
  pow: binary('pow', 'Pow', 'a to the power of b; the derivative by b is taken for a > 0', (a, b, dy, y) => [
    // At a = b = 0 this is 0 · 0^-1; the exponent 1 there makes it the 0 it should be.
    dy.mul(b).mul(a.pow(pick(a.equal(0), pick(b.equal(0), 1, b.sub(1)), b.sub(1)))),
    dy.mul(y).mul(pick(a.greater(0), a.maximum(1e-38).log(), 0)),
  ]),
  maximum: binary('maximum', 'Max', 'the larger of a and b; at a tie each gets half of the gradient', (a, b, dy) => {
    const share = pick(a.equal(b), 0.5, pick(a.greater(b), 1, 0))
    return [dy.mul(share), dy.mul(share.neg().add(1))]
  }),
  minimum: binary('minimum', 'Min', 'the smaller of a and b; at a tie each gets half of the gradient', (a, b, dy) => {
    const share = pick(a.equal(b), 0.5, pick(a.less(b), 1, 0))
    return [dy.mul(share), dy.mul(share.neg().add(1))]
  }),
  equal: binary('equal', 'Equal', 'whether a = b', undefined, 'bool'),
  less: binary('less', 'Less', 'whether a < b', undefined, 'bool'),
  greater: binary('greater', 'Greater', 'whether a > b', undefined, 'bool'),

  neg: unary('neg', 'Neg', '-x', (_x, dy) => dy.neg(), arithmetic),
  abs: unary('abs', 'Abs', '|x|; derivative 0 at 0', (x, dy) => dy.mul(pick(x.greater(0), 1, pick(x.less(0), -1, 0)))),
  exp: unary('exp', 'Exp', 'e to the power of x', (_x, dy, y) => dy.mul(y)),
  log: unary('log', 'Log', 'natural logarithm of x', (x, dy) => dy.div(x)),
  sqrt: unary('sqrt', 'Sqrt', 'square root of x', (_x, dy, y) => dy.div(y.mul(2))),
  reciprocal: unary('reciprocal', 'Reciprocal', '1 / x', (_x, dy, y) => dy.mul(y).mul(y).neg()),
  sin: unary('sin', 'Sin', 'sine of x (radians)', (x, dy) => dy.mul(x.cos())),
  cos: unary('cos', 'Cos', 'cosine of x (radians)', (x, dy) => dy.mul(x.sin()).neg()),
  tanh: unary('tanh', 'Tanh', 'hyperbolic tangent of x', (_x, dy, y) => dy.mul(y.mul(y).neg().add(1))),
  sigmoid: unary('sigmoid', 'Sigmoid', '1 / (1 + e^-x)', (_x, dy, y) => dy.mul(y).mul(y.neg().add(1))),
  relu: unary('relu', 'Relu', 'max(x, 0); derivative 0 at 0', (x, dy) => dy.mul(pick(x.greater(0), 1, 0))),

  silu: {
    summary: 'x · sigmoid(x)',
    infer([x]) {
      expectDtype('silu', x!, 'f32')
      return [
        { shape: x!.shape, dtype: 'f32' },
        { shape: x!.shape, dtype: 'f32' },
      ]
    },
    vjp({ outputs: [y, s], gradients: [dy] }) {
      // d(x·s)/dx = s + x·s·(1 - s) = s + y - y·s
      return [dy!.mul(s!.add(y!).sub(y!.mul(s!))), undefined]
    },
    decompose([x]) {
      const s = x!.sigmoid()
      return [x!.mul(s), s]
    },
    lower({ inputs: [x], outputs: [y, s], emit, isUsed }) {
      if (!isUsed(1)) {
        emit('QuickGelu', [x!.name], { alpha: { float: 1 } }, { outputs: [y!.name], domain: 'com.microsoft' })
        return
      }
      emit('Sigmoid', [x!.name], {}, { outputs: [s!.name] })
      emit('Mul', [x!.name, s!.name], {}, { outputs: [y!.name] })
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
      emit('Where', [condition!.name, a!.name, b!.name], {}, { outputs: [y!.name] })
    },
  },

  cast: {
    summary: 'x converted to another dtype; gradients flow between floating-point dtypes only',
    infer: ([x], { to }) => [{ shape: x!.shape, dtype: to as DType }],
    vjp: ({ inputs: [x], gradients: [dy] }) => [x!.dtype === 'f32' ? dy!.cast('f32') : undefined],
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
