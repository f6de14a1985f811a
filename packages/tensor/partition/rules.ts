import { fixed, normalizeAxis } from '../ops/define.js'
import { type OpName, opGroups } from '../ops/index.js'
import type { Attributes, Value } from '../program.js'
import { type Counted, type Cut, cutAxis, cutOf, type Share } from './share.js'

/** What a rule sees of a node, in the program for the whole batch unless said otherwise. */
export interface Passing {
  readonly shares: readonly Share[]
  readonly inputs: readonly Value[]
  readonly outputs: readonly Value[]
  readonly partOutputs: readonly Value[]
  readonly attributes: Attributes
  readonly parts: number
  /** How many of the outputs are results. */
  readonly results: number
  /** The program's input whose elements are those of input `index`, in whatever shape. */
  fed(index: number): string | undefined
}

/** How the outputs of a node are shared: one share for all, or one each. None where the op mixes parts, or nothing is known. */
export type Rule = (passing: Passing) => Share | undefined | readonly (Share | undefined)[]

const count = (sizes: readonly number[]) => sizes.reduce((product, size) => product * size, 1)
const onlyCut = (share: Share | undefined): Cut | undefined => (share?.kind === 'cut' ? share : undefined)
const isSame = (share: Share) => share.kind === 'same'
const sizesOf = ({ shape }: Value) => fixed('partition', shape)

/** The cut that some have in common, counting dimensions from the end as broadcasting does; others must be the same for all. */
function commonCut(shares: readonly Share[], ranks: readonly number[], rank: number): Cut | undefined {
  const cuts = shares.flatMap((share, index) => (share.kind === 'cut' ? [{ ...share, axis: share.axis - ranks[index]! }] : []))
  const outers = new Set(cuts.flatMap(({ outer }) => outer ?? []))
  const axes = new Set(cuts.map(({ axis }) => axis))
  if (axes.size !== 1 || outers.size > 1 || shares.some((share) => share.kind !== 'cut' && !isSame(share))) return undefined
  const [axis] = axes
  const [outer] = outers
  return cutOf(rank + axis!, outer)
}

const elementwise: Rule = ({ shares, inputs, outputs }) =>
  commonCut(
    shares,
    inputs.map(({ shape }) => shape.length),
    outputs[0]!.shape.length,
  )

/** A sum over parts stays one under a linear function. */
const linear =
  (rule: Rule): Rule =>
  (passing) =>
    passing.shares[0]!.kind === 'sum' ? passing.shares[0] : rule(passing)

const addition: Rule = (passing) => {
  const { shares, parts } = passing
  const sums = shares.flatMap((share) => (share.kind === 'sum' ? [share] : []))
  const [a, b] = sums
  if (!a) return elementwise(passing)
  const alike = b && a.scale === b.scale && a.counted?.input === b.counted?.input && a.counted?.none === b.counted?.none
  if (b) return alike ? a : undefined
  // Only a mean of parts stays one when every part gets the same addend.
  return shares.some(isSame) && a.scale * parts === 1 ? a : undefined
}

/** A product, or a quotient, of a sum and a number. */
const scaling =
  (exponent: 1 | -1): Rule =>
  (passing) => {
    const [a, b] = passing.shares as [Share, Share]
    const [sum, factor] = a.kind === 'sum' || exponent < 0 ? [a, b] : [b, a]
    if (sum.kind !== 'sum') return elementwise(passing)
    if (factor.kind === 'same') return sum
    return factor.kind === 'ratio' ? { ...sum, scale: sum.scale * factor.ratio ** exponent } : undefined
  }

/** The dimension that the batch is in after elements were grouped otherwise: of the same rows of batches, as whole ones. */
const regrouped: Rule = ({ shares: [share], inputs: [x], outputs: [y], partOutputs: [part], parts }) => {
  const cut = onlyCut(share)
  const axis = cutAxis(y!, part!, parts)
  if (!cut || axis === undefined) return undefined
  const rows = count(sizesOf(x!).slice(0, cut.axis)) * (cut.outer ?? 1)
  const shape = sizesOf(y!)
  const before = count(shape.slice(0, axis))
  const outer = rows / before
  return Number.isInteger(outer) && shape[axis]! % (outer * parts) === 0 ? cutOf(axis, outer) : undefined
}

/** An op along some dimensions, which must not be the batch's. */
const apartFrom =
  (axesOf: (attributes: Attributes, x: Value) => readonly number[]): Rule =>
  ({ shares, inputs: [x], attributes }) => {
    const cut = onlyCut(shares[0])
    return cut && shares.slice(1).every(isSame) && !axesOf(attributes, x!).includes(cut.axis) ? cut : undefined
  }

const ownAxis = ({ axis }: Attributes, x: Value) => [normalizeAxis('partition', axis as number, x.shape)]
const along = apartFrom(ownAxis)

/** What is computed for each element of the first dimension by itself, with weights that all share. */
const perSample = apartFrom((_, { shape }) => [...shape.keys()].slice(1))

/** What becomes of a cut when dimensions are reduced: `over` is the share where the batch's is one of them. */
const reduction =
  (axesOf: (attributes: Attributes, x: Value) => readonly number[], over?: (parts: number) => Share): Rule =>
  ({ shares: [share], inputs: [x], attributes, parts }) => {
    const cut = onlyCut(share)
    const axes = axesOf(attributes, x!)
    if (!cut) return undefined
    if (axes.includes(cut.axis)) return over?.(parts)
    return cutOf(attributes.keepDims ? cut.axis : cut.axis - axes.filter((axis) => axis < cut.axis).length, cut.outer)
  }

const listed = ({ axes }: Attributes) => axes as readonly number[]

/** Rows of a matrix or a batch of matrices belong to the parts, or the sum over rows is one over parts. */
const product: Rule = ({ shares, inputs, outputs: [y], attributes: { transA, transB } }) => {
  const [a, b] = shares as [Share, Share]
  const rank = y!.shape.length
  const fromEnd = (index: number) => {
    const cut = onlyCut(shares[index])
    return cut && cut.axis - inputs[index]!.shape.length
  }
  const [atA, atB] = [fromEnd(0), fromEnd(1)]
  const [rows, inner] = transA ? [-1, -2] : [-2, -1]
  const [innerB, columns] = transB ? [-1, -2] : [-2, -1]
  if (atA === rows && isSame(b)) return { ...(a as Cut), axis: rank - 2 }
  if (atB === columns && isSame(a)) return { ...(b as Cut), axis: rank - 1 }
  if (atA === inner && atB === innerB && onlyCut(a)!.outer === onlyCut(b)!.outer) return { kind: 'sum', scale: 1 }
  if ((atA ?? -3) > -3 || (atB ?? -3) > -3) return undefined
  return commonCut(
    shares,
    inputs.map(({ shape }) => shape.length),
    rank,
  )
}

/** The cut of operands that all have the batch as their first dimension. */
const samples = (shares: readonly Share[]): Cut | undefined => {
  const cut = shares.every(({ kind }) => kind === 'cut') ? commonCut(shares, Array(shares.length).fill(0), 0) : undefined
  return cut?.axis === 0 ? cut : undefined
}

/** Elements chosen along another dimension; index and elements belong to the same part. */
const chosen: Rule = ({ shares, inputs, attributes }) => {
  const [x, index] = inputs as [Value, Value]
  const rank = x.shape.length
  const cut = commonCut(
    shares,
    inputs.map(() => rank),
    rank,
  )
  const all = shares.every(({ kind }) => kind === 'cut')
  return cut && all && !ownAxis(attributes, x).includes(cut.axis) && x.shape[cut.axis] === index.shape[cut.axis] ? cut : undefined
}

const rowLookUp: Rule = ({ shares: [x, indices] }) => (x!.kind === 'same' ? onlyCut(indices) : undefined)

/** Fed targets: those that do not count make parts count unevenly. */
const crossEntropy: Rule = ({ shares, parts, attributes, fed }) => {
  const input = fed(1)
  if (!samples(shares) || input === undefined) return undefined
  const counted: Counted = { input, none: attributes.ignoreIndex as number }
  return [{ kind: 'sum', scale: 1 / parts, counted }, shares[0]]
}

/** Layers over x [T, B, I] with weights and biases, then states [B, H]. */
const recurrent: Rule = ({ shares, outputs, results }) => {
  const [x, ...rest] = shares
  const [weights, states] = [rest.slice(0, 4), rest.slice(4)]
  const cut = commonCut([x!, ...states], [2, ...states.map(() => 1)], 2)
  if (cut?.axis !== 1 || onlyCut(x)?.axis !== 1 || !weights.every(isSame)) return undefined
  if (!states.every((state) => onlyCut(state)?.axis === 0)) return undefined
  return outputs.map((_, index) => ({ ...cut, axis: index > 0 && index < results ? 0 : 1 }))
}

const names = (group: object) => Object.keys(group) as OpName[]
const all = (ops: readonly OpName[], rule: Rule) => Object.fromEntries(ops.map((op) => [op, rule]))

/** How the batch passes through each op. An op that is not here ends it: nothing is known of it. */
export const rules: Readonly<Partial<Record<OpName, Rule>>> = {
  ...all([opGroups.elementwise, opGroups.comparisons, opGroups.math, opGroups.activations].flatMap(names), elementwise),
  ...all(['binaryCrossEntropy', 'binaryCrossEntropyWithLogits', 'straightThrough', 'swiglu'], elementwise),
  ...all(['neg', 'stopGradient'], linear(elementwise)),
  add: addition,
  sub: addition,
  mul: scaling(1),
  div: scaling(-1),
  matmul: product,
  reshape: linear(regrouped),
  transpose: linear(({ shares: [share], attributes: { order } }) => {
    const cut = onlyCut(share)
    return cut && { ...cut, axis: (order as readonly number[]).indexOf(cut.axis) }
  }),
  broadcastTo: linear(({ shares: [share], inputs: [x], outputs: [y], partOutputs: [part], parts }) => {
    const axis = cutAxis(y!, part!, parts)
    if (axis === undefined || !share) return undefined
    if (share.kind === 'cut') return { ...share, axis: share.axis + y!.shape.length - x!.shape.length }
    return isSame(share) ? cutOf(axis) : undefined
  }),
  concat: ({ shares, inputs, attributes }) => {
    const ranks = inputs.map(({ shape }) => shape.length)
    const cut = shares.every(({ kind }) => kind === 'cut') ? commonCut(shares, ranks, ranks[0]!) : undefined
    return cut && !ownAxis(attributes, inputs[0]!).includes(cut.axis) ? cut : undefined
  },
  sum: linear(reduction(listed, () => ({ kind: 'sum', scale: 1 }))),
  mean: linear(reduction(listed, (parts) => ({ kind: 'sum', scale: 1 / parts }))),
  ...all(['max', 'min', 'prod', 'logSumExp'], reduction(listed)),
  ...all(['argmax', 'argmin'], reduction(ownAxis)),
  ...all(['cumsum', 'softmax', 'logSoftmax', 'slice', 'pad', 'split', 'topK', 'indexSelect'], along),
  flip: apartFrom(({ axes }, { shape }) => (axes as readonly number[]).map((axis) => normalizeAxis('partition', axis, shape))),
  triangle: apartFrom((_, { shape }) => [shape.length - 2, shape.length - 1]),
  gatherRows: rowLookUp,
  ...all(['gather', 'scatter', 'scatterAdd'], chosen),
  ...all(['conv', 'convTranspose', 'avgPool', 'upsample', 'batchNormInference'], perSample),
  // Its positions count over the whole batch.
  maxPool: (passing) => [perSample(passing) as Share | undefined, undefined],
  layerNorm: apartFrom(({ axis }, { shape }) => [...shape.keys()].slice(axis as number)),
  rmsNorm: apartFrom((_, { shape }) => [shape.length - 1]),
  rotaryEmbedding: ({ shares: [x, positions, ...tables] }) =>
    tables.every(isSame) ? samples(isSame(positions!) ? [x!] : [x!, positions!]) : undefined,
  attention: ({ shares }) => samples(shares),
  crossEntropy,
  checkpoint: ({ shares, outputs }) => shares.slice(0, outputs.length),
  ...all(['lstm', 'gru'], recurrent),
}

/** Attributes that follow from the size of the batch. */
export const sized: Readonly<Partial<Record<OpName, readonly string[]>>> = {
  reshape: ['shape', 'symbols'],
  broadcastTo: ['shape'],
}
