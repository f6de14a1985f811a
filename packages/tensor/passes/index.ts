import type { Program } from '../program.js'
import { commonSubexpressions } from './common-subexpressions.js'
import { deadCode } from './dead-code.js'
import { foldTransposes } from './fold-transposes.js'
import { forgetDerivatives } from './forget-derivatives.js'
import { fuseGemm } from './fuse-gemm.js'
import { gradientsEarly } from './gradients-early.js'
import { lightOperands } from './light-operands.js'
import { unroll } from './unroll.js'

/** The passes a program goes through before it is encoded, in order. Each is program → program with the same meaning. */
const passes: readonly ((program: Program) => Program)[] = [
  forgetDerivatives,
  deadCode,
  unroll,
  lightOperands,
  commonSubexpressions,
  foldTransposes,
  fuseGemm,
  gradientsEarly,
]

export function optimize(program: Program): Program {
  return passes.reduce((current, pass) => pass(current), program)
}
