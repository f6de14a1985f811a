import {
  concurrentRuns,
  cores,
  type Device,
  flopsOf,
  type InputSpec,
  type Partition,
  type Program,
  partition,
  type Value,
} from '@enigma/tensor'
import { NnError } from './errors.js'
import type { TracedNetwork } from './trace-network.js'

export interface ReplicaOptions {
  /**
   * Equal parts of the batch that are computed at the same time, each on threads of its own; gradients and results are put together.
   * Default: chosen by the network, the shapes and the threads. 1: the batch as a whole.
   */
  readonly replicas?: number
  readonly threads?: number
  readonly device?: Device
}

/** The same computation for one of several equal parts of a batch. */
export interface Split {
  readonly parts: number
  readonly traced: TracedNetwork
  readonly partition: Partition
}

/** Each part has gradients of its own: beyond this many parameters they take memory that is missed. */
const mostParameters = 8e6
/** Operations below which a training step is too short for it, and those below which a step of a recurrent layer is. */
const [leastWork, leastStep] = [1e9, 1e6]
/** Ways to cut the inputs that are tried. */
const mostTries = 12

/** @throws NnError INVALID_ARGUMENT */
export function checkReplicas({ replicas = 1, device = 'cpu' }: ReplicaOptions): void {
  if (!Number.isInteger(replicas) || replicas < 1)
    throw new NnError('INVALID_ARGUMENT', `replicas must be a whole number from 1, got ${replicas}.`)
  if (replicas > 1 && device !== 'cpu')
    throw new NnError('INVALID_ARGUMENT', `replicas: ${replicas} needs the device 'cpu', got '${device}'.`)
  if (replicas > concurrentRuns)
    throw new NnError('INVALID_ARGUMENT', `replicas: ${replicas} are more than the ${concurrentRuns} that can run at once here.`)
}

/** As many parts as a step with so many parameters is ever split into. */
export function mostReplicas({ replicas, threads = cores(), device = 'cpu' }: ReplicaOptions, parameters: number): number {
  if (replicas !== undefined) return replicas
  return device === 'cpu' && parameters <= mostParameters ? Math.max(1, Math.min(threads, concurrentRuns)) : 1
}

/** Native threads of a session that several runs share: what is left beside a thread for each. */
export const sharedThreads = (parts: number, { threads = cores() }: ReplicaOptions): number => Math.max(1, threads - parts + 1)

/** Whether threads have more from a part of the batch each than from their share of every operation: short ones, one after the other. */
function pays({ nodes, values }: Program): boolean {
  const work = flopsOf({ nodes, values })
  const recurrent = nodes.filter(({ op }) => op === 'lstm' || op === 'gru')
  if (recurrent.length > 0) return work >= leastStep * recurrent.reduce((sum, { inputs: [x] }) => sum + stepsOf(values[x!]!), 0)
  return work >= leastWork && !nodes.some(({ op }) => op === 'conv' || op === 'convTranspose')
}

const stepsOf = ({ shape: [steps] }: Value) => Number(steps)

type Specs<I extends string> = Readonly<Record<I, InputSpec>>

/** Ways to cut some inputs into `parts`, the likeliest first: all along a dimension of one size, as far in front as can be. */
function cuts(specs: Specs<string>, parts: number): Specs<string>[] {
  type Way = { readonly axes: readonly number[]; readonly sizes: readonly number[]; readonly specs: Specs<string> }
  let ways: Way[] = [{ axes: [], sizes: [], specs: {} }]
  for (const [name, spec] of Object.entries(specs)) {
    const axes = [...spec.shape.keys()].filter((axis) => Number(spec.shape[axis]) % parts === 0 && Number(spec.shape[axis]) > 0)
    ways = ways.flatMap((way) =>
      axes.length === 0
        ? [{ ...way, specs: { ...way.specs, [name]: spec } }]
        : axes.map((at) => ({
            axes: [...way.axes, at],
            sizes: [...way.sizes, spec.shape[at] as number],
            specs: {
              ...way.specs,
              [name]: { ...spec, shape: spec.shape.map((size, axis) => (axis === at ? (size as number) / parts : size)) },
            },
          })),
    )
  }
  const rank = ({ axes, sizes }: Way) => new Set(sizes).size * 100 + axes.reduce((sum, axis) => sum + axis, 0)
  return ways
    .filter(({ axes }) => axes.length > 0)
    .sort((a, b) => rank(a) - rank(b))
    .slice(0, mostTries)
    .map((way) => way.specs)
}

export interface SplitRequest<I extends string> {
  readonly whole: TracedNetwork
  readonly inputs: Specs<I>
  /** The same loss for batches of other shapes. */
  readonly trace: (inputs: Specs<I>) => TracedNetwork
  /** See `mostReplicas`. */
  readonly most: number
  /** Whether exactly so many are asked for. */
  readonly forced: boolean
}

/**
 * The part of a batch that each of several runs computes, or undefined where one run computes all of it.
 * @throws NnError INVALID_ARGUMENT when more than one is asked for and cannot be
 */
export function split<I extends string>({ whole, inputs, trace, most, forced }: SplitRequest<I>): Split | undefined {
  if (most === 1 || (!forced && !pays(whole.program))) return undefined
  let refused = `no input has a dimension that divides by ${most}`
  for (let parts = most; parts > 1; parts--) {
    const ways = cuts(inputs, parts)
    for (const [index, way] of ways.entries()) {
      const found = tried(() => splitAs(whole, trace(way as Specs<I>), parts))
      if (typeof found !== 'string') return found
      if (index === 0) refused = found
    }
    // Other numbers of parts would meet the same obstacle.
    if (forced || ways.length > 0) break
  }
  if (!forced) return undefined
  throw new NnError('INVALID_ARGUMENT', `replicas: ${most} cannot be: ${refused}. Leave the option out, or make it 1.`)
}

function splitAs(whole: TracedNetwork, traced: TracedNetwork, parts: number): Split | string {
  const found = partition(whole.program, traced.program, parts)
  if ('refused' in found) return found.refused
  const { kind } = found.outputs.get('loss')!
  return kind === 'sum' ? { parts, traced, partition: found } : 'the loss is no sum or mean over the batch'
}

/** What a loss says that does not take these shapes, as a reason. */
function tried(find: () => Split | string): Split | string {
  try {
    return find()
  } catch (error) {
    return `the loss cannot be computed for a part: ${error instanceof Error ? error.message : error}`
  }
}
