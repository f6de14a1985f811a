import { map } from '../nd.js'
import { binary, type References, singles, unary } from './cases.js'

const comparison = (f: (a: number, b: number) => boolean) =>
  binary((a, b) => Number(f(a, b)), { notDifferentiable: 'boolean result' })

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))

export const elementwise: References = {
  add: binary((a, b) => a + b),
  sub: binary((a, b) => a - b),
  mul: binary((a, b) => a * b),
  div: binary((a, b) => a / b, { domain: [0.5, 2] }),
  pow: binary((a, b) => a ** b, { domain: [0.5, 2] }),
  maximum: binary(Math.max),
  minimum: binary(Math.min),
  equal: comparison((a, b) => a === b),
  less: comparison((a, b) => a < b),
  greater: comparison((a, b) => a > b),
  neg: unary((x) => -x),
  abs: unary(Math.abs),
  exp: unary(Math.exp),
  log: unary(Math.log, { domain: [0.2, 3] }),
  sqrt: unary(Math.sqrt, { domain: [0.2, 3] }),
  reciprocal: unary((x) => 1 / x, { domain: [0.3, 2] }),
  sin: unary(Math.sin),
  cos: unary(Math.cos),
  tanh: unary(Math.tanh),
  sigmoid: unary(sigmoid),
  relu: unary((x) => Math.max(x, 0)),
  silu: unary((x) => x * sigmoid(x)),
  stopGradient: unary((x) => x, { notDifferentiable: 'it stops gradients, which has its own test' }),
  cast: {
    ...unary(Math.trunc),
    cases: singles.map((single) => ({ ...single, attributes: { to: 'i32' } })),
    notDifferentiable: 'integer result',
  },
  where: {
    value: ([c, a, b]) => map((condition, yes, no) => (condition ? yes : no), c!, a!, b!),
    cases: [
      { shapes: [[], [], []] },
      { shapes: [[3], [3], [3]] },
      { shapes: [[2, 1], [3], [2, 3]] },
      { shapes: [[3], [1], [2, 3]] },
      { shapes: [[0], [1], [0]] },
    ],
    booleans: [0],
  },
}
