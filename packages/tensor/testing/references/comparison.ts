import { binary, type OpReference, type References, unary } from './cases.js'

const comparison = (f: (a: number, b: number) => boolean) =>
  binary((a, b) => Number(f(a, b)), { notDifferentiable: 'boolean result' })
const logical = (f: (a: number, b: number) => number): OpReference =>
  binary(f, { booleans: [0, 1], notDifferentiable: 'boolean result' })

export const comparisons: References = {
  equal: comparison((a, b) => a === b),
  less: comparison((a, b) => a < b),
  lessEqual: comparison((a, b) => a <= b),
  greater: comparison((a, b) => a > b),
  greaterEqual: comparison((a, b) => a >= b),
  logicalAnd: logical((a, b) => a & b),
  logicalOr: logical((a, b) => a | b),
  logicalXor: logical((a, b) => a ^ b),
  logicalNot: unary((x) => 1 - x, { booleans: [0], notDifferentiable: 'boolean result' }),
  isNaN: unary((x) => Number(Number.isNaN(x)), { notDifferentiable: 'boolean result' }),
}
