import { sizeOf, type TypedArray } from '../dtype.js'
import { sources } from '../index-checks.js'
import { opTable } from '../ops/index.js'
import { deadCode } from '../passes/dead-code.js'
import type { Attributes, Node, Program, Value } from '../program.js'
import { type Rule, rules, sized } from './rules.js'
import { cutAxis, cutOf, fits, type Share, same } from './share.js'

export type { Counted, Share } from './share.js'
export { weighted } from './weighted.js'

/** How each input and output of a program for a batch relates to that of the program for one of its parts, by name. */
export interface Partition {
  readonly inputs: ReadonlyMap<string, Share>
  readonly outputs: ReadonlyMap<string, Share>
}

export interface NoPartition {
  /** What stands in the way. */
  readonly refused: string
}

const refused = (why: string): NoPartition => ({ refused: why })

/** The attributes that must not depend on the size of the batch, as text. */
const fixedAttributes = ({ op, attributes }: Node): string => {
  const free = sized[op] ?? []
  return JSON.stringify(Object.entries(attributes).filter(([name]) => !free.includes(name)))
}

const alike = (a: Node, b: Node) => a.op === b.op && a.inputs.join() === b.inputs.join() && a.outputs.join() === b.outputs.join()

/**
 * Whether a computation on a batch is the same computation on each of `parts` equal parts of it, put together: its results those of
 * the parts one after the other, or a sum or a mean of theirs. `whole` and `part` are two traces of it, for all of the batch and for a
 * part; the shapes tell which dimension of each input is the batch's. Follows both node by node (`rules.ts`), so that what holds for
 * the values holds for derivatives by what all parts share. Random inputs are cut like others.
 */
export function partition(whole: Program, part: Program, parts: number): Partition | NoPartition {
  const [wholeNodes, partNodes] = [deadCode(whole).nodes, deadCode(part).nodes]
  const different = wholeNodes.findIndex((node, index) => !partNodes[index] || !alike(node, partNodes[index]))
  if (different >= 0 || wholeNodes.length !== partNodes.length)
    return refused(`other operations for a part, from '${wholeNodes[different]?.op ?? partNodes.at(-1)?.op}' on`)

  const shares = new Map<number, Share>()
  const randoms = new Set<number>()
  for (const [index, { name, value, random }] of whole.inputs.entries()) {
    const [given, other] = [whole.values[value]!, part.values[value]!]
    const axis = cutAxis(given, other, parts)
    const share = axis === undefined ? same : cutOf(axis, random ? undefined : 1)
    if (part.inputs[index]?.name !== name || !fits(share, given, other, parts))
      return refused(`the input '${name}' is [${given.shape.join(', ')}] and [${other?.shape.join(', ')}] for a part`)
    shares.set(value, share)
    if (random && axis !== undefined) randoms.add(value)
  }
  const others = new Map(part.constants.map(({ value, data }) => [value, data]))
  for (const { value, data } of whole.constants) {
    const own = others.get(value)
    const share = own && constantShare([whole.values[value]!, part.values[value]!], [data, own], parts)
    if (share) shares.set(value, share)
  }

  const names = new Map(whole.inputs.map(({ name, value }) => [value, name]))
  const source = sources(whole)
  for (const [index, node] of wholeNodes.entries()) {
    const { op, inputs, outputs } = node
    settleRandoms(inputs, randoms, shares, whole)
    const given = inputs.map((id) => shares.get(id))
    const results = sharesOf(node, partNodes[index]!, given, {
      whole,
      part,
      parts,
      fed: (input) => names.get(source(inputs[input]!)),
    })
    for (const [at, id] of outputs.entries()) {
      const share = results[at]
      if (share && fits(share, whole.values[id]!, part.values[id]!, parts)) shares.set(id, share)
    }
    if (!outputs.some((id) => shares.has(id))) return refused(`'${op}' mixes parts of the batch, or what it does is not known`)
  }
  const found = new Map<string, Share>()
  for (const { name, value } of whole.outputs) {
    const share = shares.get(value)
    if (!share) return refused(`'${name}' does not come from parts of the batch`)
    found.set(name, share)
  }
  return { inputs: new Map(whole.inputs.map(({ name, value }) => [name, shares.get(value)!])), outputs: found }
}

/** Numbers that are the same, that are as many times the part's, or that repeat the part's for every part. */
function constantShare(
  [whole, part]: readonly [Value, Value],
  [data, own]: readonly [TypedArray, TypedArray],
  parts: number,
): Share | undefined {
  if (fits(same, whole, part, parts)) {
    if (data.every((number, index) => Object.is(number, own[index]))) return same
    return data.length === 1 ? { kind: 'ratio', ratio: Number(data[0]) / Number(own[0]) } : undefined
  }
  const axis = cutAxis(whole, part, parts)
  if (axis === undefined) return undefined
  const stretch = sizeOf((part.shape as number[]).slice(axis))
  const repeats = data.every((number, index) =>
    Object.is(number, own[Math.floor(index / (stretch * parts)) * stretch + (index % stretch)]),
  )
  return repeats ? cutOf(axis, 1) : undefined
}

interface Programs {
  readonly whole: Program
  readonly part: Program
  readonly parts: number
  readonly fed: (index: number) => string | undefined
}

function sharesOf(
  node: Node,
  other: Node,
  given: readonly (Share | undefined)[],
  { whole, part, parts, fed }: Programs,
): readonly (Share | undefined)[] {
  const { op, inputs, outputs } = node
  if (given.includes(undefined) || fixedAttributes(node) !== fixedAttributes(other)) return []
  const values = (program: Program, ids: readonly number[]) => ids.map((id) => program.values[id]!)
  const [results, partResults] = [values(whole, outputs), values(part, outputs)]
  const equal = results.every((value, index) => fits(same, value, partResults[index]!, parts))
  if (equal && given.every((share) => share!.kind === 'same')) return results.map(() => same)
  const rule: Rule | undefined = rules[op]
  const shared = rule?.({
    shares: given as readonly Share[],
    inputs: values(whole, inputs),
    outputs: results,
    partOutputs: partResults,
    attributes: node.attributes as Attributes,
    parts,
    results: opTable[op].results ?? 1,
    fed,
  })
  return Array.isArray(shared) ? shared : results.map(() => shared as Share | undefined)
}

/** A random input has its batch where the first tensor has that it meets; alone, in one row. */
function settleRandoms(inputs: readonly number[], randoms: Set<number>, shares: Map<number, Share>, { values }: Program): void {
  for (const id of inputs) {
    const share = shares.get(id)
    if (!randoms.delete(id) || share?.kind !== 'cut') continue
    const fromEnd = share.axis - values[id]!.shape.length
    const partner = inputs.flatMap((other) => {
      const found = shares.get(other)
      return found?.kind === 'cut' && found.axis - values[other]!.shape.length === fromEnd ? (found.outer ?? []) : []
    })
    shares.set(id, cutOf(share.axis, partner[0] ?? 1))
  }
}
