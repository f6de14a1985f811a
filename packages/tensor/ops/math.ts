import { defineOps } from './define.js'
import { binary, pick, unary } from './elementwise.js'

/** Exponentials, logarithms, trigonometry: f32 only. */
export const math = defineOps({
  exp: unary('exp', 'Exp', 'e to the power of x', { vjp: (_x, dy, y) => dy.mul(y) }),
  expm1: unary('expm1', 'Exp', 'e to the power of x, minus 1; exact also near 0', {
    vjp: (_x, dy, y) => dy.mul(y.add(1)),
    lower({ inputs: [x], outputs: [y], emit, scalar }) {
      // e^x - 1 = tanh(x/2) · (e^x + 1), which cancels nothing.
      const tanh = emit('Tanh', [emit('Mul', [x!.name, scalar(0.5)])])
      emit('Mul', [tanh, emit('Add', [emit('Exp', [x!.name]), scalar(1)])], {}, { outputs: [y!.name] })
    },
  }),
  log: unary('log', 'Log', 'natural logarithm of x', { vjp: (x, dy) => dy.div(x) }),
  log1p: unary('log1p', 'Log', 'natural logarithm of 1 + x; exact also near 0', {
    vjp: (x, dy) => dy.div(x.add(1)),
    lower({ inputs: [x], outputs: [y], emit, scalar }) {
      // log(u) · x / (u - 1) with u = fl(1 + x): the rounding of u cancels (Goldberg 1991, theorem 4).
      const u = emit('Add', [x!.name, scalar(1)])
      const log = emit('Log', [u])
      const step = emit('Sub', [u, scalar(1)])
      const corrected = emit('Div', [emit('Mul', [log, x!.name]), step])
      const near = emit('Where', [emit('Equal', [step, scalar(0)]), x!.name, corrected])
      emit('Where', [emit('Less', [emit('Abs', [x!.name]), scalar(0.5)]), near, log], {}, { outputs: [y!.name] })
    },
  }),
  sqrt: unary('sqrt', 'Sqrt', 'square root of x', { vjp: (_x, dy, y) => dy.div(y.mul(2)) }),
  reciprocal: unary('reciprocal', 'Reciprocal', '1 / x', { vjp: (_x, dy, y) => dy.mul(y).mul(y).neg() }),
  erf: unary('erf', 'Erf', 'error function 2/√π · ∫₀ˣ exp(-t²) dt', {
    vjp: (x, dy) => dy.mul(x.square().neg().exp()).mul(2 / Math.sqrt(Math.PI)),
  }),

  sin: unary('sin', 'Sin', 'sine of x (radians)', { vjp: (x, dy) => dy.mul(x.cos()) }),
  cos: unary('cos', 'Cos', 'cosine of x (radians)', { vjp: (x, dy) => dy.mul(x.sin()).neg() }),
  tan: unary('tan', 'Tan', 'tangent of x (radians)', { vjp: (_x, dy, y) => dy.mul(y.square().add(1)) }),
  asin: unary('asin', 'Asin', 'arc sine of x, in radians', { vjp: (x, dy) => dy.div(x.square().neg().add(1).sqrt()) }),
  acos: unary('acos', 'Acos', 'arc cosine of x, in radians', { vjp: (x, dy) => dy.div(x.square().neg().add(1).sqrt()).neg() }),
  atan: unary('atan', 'Atan', 'arc tangent of x, in radians', { vjp: (x, dy) => dy.div(x.square().add(1)) }),
  atan2: binary(
    'atan2',
    'Atan',
    'angle of the point (b, a) in radians, in (-π, π]; the sign of a zero is not seen, and derivatives at the origin are 0',
    {
      dtypes: ['f32'],
      vjp(a, b, dy) {
        const squares = a.square().add(b.square())
        const scaled = dy.div(pick(squares.equal(0), 1, squares))
        return [scaled.mul(b), scaled.mul(a).neg()]
      },
      lower({ inputs: [a, b], outputs: [y], emit, scalar }) {
        const [rise, run] = [a!.name, b!.name]
        const right = emit('Atan', [emit('Div', [rise, run])])
        const turn = emit('Where', [emit('Less', [rise, scalar(0)]), scalar(-Math.PI), scalar(Math.PI)])
        const angle = emit('Where', [emit('Less', [run, scalar(0)]), emit('Add', [right, turn]), right])
        const origin = emit('And', [emit('Equal', [rise, scalar(0)]), emit('Equal', [run, scalar(0)])])
        emit('Where', [origin, scalar(0), angle], {}, { outputs: [y!.name] })
      },
    },
  ),
  sinh: unary('sinh', 'Sinh', 'hyperbolic sine of x', { vjp: (x, dy) => dy.mul(x.cosh()) }),
  cosh: unary('cosh', 'Cosh', 'hyperbolic cosine of x', { vjp: (x, dy) => dy.mul(x.sinh()) }),
  tanh: unary('tanh', 'Tanh', 'hyperbolic tangent of x', { vjp: (_x, dy, y) => dy.mul(y.square().neg().add(1)) }),
  asinh: unary('asinh', 'Asinh', 'inverse hyperbolic sine of x', { vjp: (x, dy) => dy.div(x.square().add(1).sqrt()) }),
  acosh: unary('acosh', 'Acosh', 'inverse hyperbolic cosine of x ≥ 1', {
    vjp: (x, dy) => dy.div(x.square().sub(1).sqrt()),
  }),
  atanh: unary('atanh', 'Atanh', 'inverse hyperbolic tangent of |x| < 1', {
    vjp: (x, dy) => dy.div(x.square().neg().add(1)),
  }),
})
