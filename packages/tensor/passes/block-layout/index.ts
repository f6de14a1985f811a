import { convolution } from '../../ops/convolution.js'
import type { Program } from '../../program.js'
import { commonSubexpressions } from '../common-subexpressions.js'
import { deadCode } from '../dead-code.js'
import { absorb } from './absorb.js'
import { Rewriter } from './rewriter.js'
import { rules } from './rules.js'

/** Whether the layout of images matters to a program. */
export const hasConvolution = ({ nodes }: Program): boolean => nodes.some(({ op }) => op in convolution)

/**
 * Convolutions, and what lies between them, in blocks of `block` channels (see `ops/blocked.ts`). Kinds, sizes and settings
 * that do not fit keep their plain form. Results differ from the plain ones by rounding only.
 */
export function blockLayout(program: Program, block: number): Program {
  return absorb(
    commonSubexpressions(
      deadCode(new Rewriter(program, block).run((rewriter, node) => rules[node.op]?.(rewriter, node) ?? false)),
    ),
  )
}
