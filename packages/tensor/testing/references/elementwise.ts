import { map } from '../nd.js'
import { binary, type OpCase, type References, singles, unary } from './cases.js'

const remainder = (a: number, b: number) => a - b * Math.floor(a / b)

/** The nearest integer, halves to the even one. */
function roundHalfEven(x: number): number {
  const floor = Math.floor(x)
  if (x - floor !== 0.5) return Math.round(x)
  return floor % 2 === 0 ? floor : floor + 1
}

const limits: OpCase['attributes'][] = [{ min: -1, max: 1 }, { min: 0 }, { max: 0.5 }, { min: -0.5, max: 0.25 }, {}]

export const elementwise: References = {
  add: binary((a, b) => a + b),
  sub: binary((a, b) => a - b),
  mul: binary((a, b) => a * b),
  div: binary((a, b) => a / b, { domain: [0.5, 2] }),
  floorDivide: binary((a, b) => Math.floor(a / b), { domain: [-9, -0.5] }),
  remainder: binary(remainder, { domain: [-9, -0.5] }),
  fmod: binary((a, b) => a % b, { domain: [-9, -0.5] }),
  pow: binary((a, b) => a ** b, { domain: [0.5, 2] }),
  maximum: binary(Math.max),
  minimum: binary(Math.min),
  neg: unary((x) => -x),
  abs: unary(Math.abs),
  sign: unary(Math.sign),
  floor: unary(Math.floor),
  ceil: unary(Math.ceil),
  round: unary(roundHalfEven, { domain: [-9, 9] }),
  clamp: {
    value: ([x], { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY }) =>
      map((value) => Math.min(max as number, Math.max(min as number, value!)), x!),
    cases: singles.map((single, index) => ({ ...single, attributes: limits[index] ?? {} })),
  },
  stopGradient: unary((x) => x, { notDifferentiable: 'it stops gradients, which has its own test' }),
  cast: {
    ...unary(Math.trunc),
    cases: singles.map((single) => ({ ...single, attributes: { to: 'i32' } })),
    notDifferentiable: 'integer result',
  },
  where: {
    value: ([c, a, b]) => map((condition, yes, no) => (condition ? yes! : no!), c!, a!, b!),
    cases: [
      { shapes: [[], [], []] },
      { shapes: [[3], [3], [3]] },
      { shapes: [[2, 1], [3], [2, 3]] },
      { shapes: [[3], [1], [2, 3]] },
      { shapes: [[0], [1], [0]] },
      { shapes: [[1], [0, 1], [1, 3]] },
    ],
    booleans: [0],
  },
}
