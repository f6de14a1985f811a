import type { DType } from '../dtype.js'
import { defineOps } from './define.js'
import { binary, numeric, unary } from './elementwise.js'

const comparison = (name: string, onnx: string, summary: string, dtypes: readonly DType[] = numeric) =>
  binary(name, onnx, summary, { dtypes, result: 'bool' })

export const comparisons = defineOps({
  equal: comparison('equal', 'Equal', 'whether a = b', [...numeric, 'bool']),
  less: comparison('less', 'Less', 'whether a < b'),
  lessEqual: comparison('lessEqual', 'LessOrEqual', 'whether a ≤ b'),
  greater: comparison('greater', 'Greater', 'whether a > b'),
  greaterEqual: comparison('greaterEqual', 'GreaterOrEqual', 'whether a ≥ b'),
  logicalAnd: comparison('logicalAnd', 'And', 'a and b', ['bool']),
  logicalOr: comparison('logicalOr', 'Or', 'a or b', ['bool']),
  logicalXor: comparison('logicalXor', 'Xor', 'either a or b', ['bool']),
  logicalNot: unary('logicalNot', 'Not', 'not x', { dtypes: ['bool'] }),
  isNaN: unary('isNaN', 'IsNaN', 'whether x is not a number', { result: 'bool' }),
})
