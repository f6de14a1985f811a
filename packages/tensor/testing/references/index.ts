import { activations } from './activations.js'
import type { References } from './cases.js'
import { comparisons } from './comparison.js'
import { convolution } from './convolution.js'
import { differentiation } from './differentiation.js'
import { elementwise } from './elementwise.js'
import { indexing } from './indexing.js'
import { losses } from './losses.js'
import { math } from './math.js'
import { matmul } from './matmul.js'
import { normalization } from './normalization.js'
import { pooling } from './pooling.js'
import { recurrent } from './recurrent.js'
import { reductions } from './reductions.js'
import { shapes } from './shapes.js'
import { slicing } from './slicing.js'
import { sorting } from './sorting.js'
import { transformer } from './transformer.js'

export type { OpCase, OpReference } from './cases.js'

/** What every op of the table should compute, in float64: one file a group, as in `ops/`. */
export const references: References = {
  ...elementwise,
  ...comparisons,
  ...math,
  ...activations,
  ...matmul,
  ...shapes,
  ...slicing,
  ...sorting,
  ...reductions,
  ...indexing,
  ...normalization,
  ...pooling,
  ...transformer,
  ...losses,
  ...differentiation,
  ...convolution,
  ...recurrent,
}
