import type { Operand } from '../builder.js'
import { TensorError } from '../errors.js'
import { Tensor } from '../tensor.js'

/** The traced tensor among operands that decides which program is being built. */
function builderOf(...operands: readonly Operand[]) {
  for (const operand of operands) if (operand instanceof Tensor) return operand.builder
  throw new TensorError('UNKNOWN_INPUT', 'At least one operand must be a traced tensor.')
}

/** Concatenates along `axis`. */
export function concat(tensors: readonly Tensor[], axis = -1): Tensor {
  return builderOf(...tensors).apply('concat', tensors, { axis })[0]!
}
