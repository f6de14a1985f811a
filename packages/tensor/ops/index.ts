import { activations } from './activations.js'
import { blocked } from './blocked.js'
import { comparisons } from './comparison.js'
import { convolution } from './convolution.js'
import type { OpDefinition } from './define.js'
import { differentiation } from './differentiation.js'
import { elementwise } from './elementwise.js'
import { indexing } from './indexing.js'
import { losses } from './losses.js'
import { math } from './math.js'
import { matmul } from './matmul.js'
import { normalization } from './normalization.js'
import { pooling } from './pooling.js'
import { quantized } from './quantized.js'
import { recurrent } from './recurrent.js'
import { reductions } from './reductions.js'
import { shapes } from './shapes.js'
import { slicing } from './slicing.js'
import { sorting } from './sorting.js'
import { transformer } from './transformer.js'

/** The ops by group, one file each. */
export const opGroups = {
  elementwise,
  comparisons,
  math,
  activations,
  matmul,
  shapes,
  reductions,
  indexing,
  convolution,
  normalization,
  pooling,
  slicing,
  sorting,
  transformer,
  losses,
  recurrent,
  quantized,
}

const table = {
  ...elementwise,
  ...comparisons,
  ...math,
  ...activations,
  ...matmul,
  ...shapes,
  ...reductions,
  ...indexing,
  ...convolution,
  ...blocked,
  ...normalization,
  ...pooling,
  ...slicing,
  ...sorting,
  ...transformer,
  ...losses,
  ...differentiation,
  ...recurrent,
  ...quantized,
}

export type OpName = keyof typeof table

/** Every op: name → summary, shape rule, derivative, lowering. Adding an op is adding one entry. */
export const opTable: Readonly<Record<OpName, OpDefinition>> = table
