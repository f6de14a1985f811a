import { isThenable } from './thenable.js'

// Work along a dependency graph: each node as soon as those before it are done, independent ones at the same time.

interface Options {
  /** Go on after a failure: what comes after the failed node begins too. */
  readonly keepGoing?: boolean
  readonly onFirstError?: (error: unknown) => void
}

/**
 * As `Graph.run`, for nodes that stand in an order in which they may be done one by one: what is not asynchronous is done at
 * once and needs no graph; the first that is begins the rest of it.
 */
export function runInOrder<Node extends Placed>(
  nodes: readonly Node[],
  before: (node: Node) => readonly Node[],
  work: (node: Node) => unknown,
  options: Options & { readonly reversed?: boolean } = {},
): unknown[] | Promise<unknown[]> {
  const errors: unknown[] = []
  for (let i = 0; i < nodes.length; i++) {
    let result: unknown
    try {
      result = work(nodes[i]!)
    } catch (error) {
      errors.push(error)
      if (errors.length === 1) options.onFirstError?.(error)
      if (!options.keepGoing) return errors
    }
    if (isThenable(result)) return goOn(nodes.slice(i), before, result, work, options, errors)
  }
  return errors
}

async function goOn<Node extends Placed>(
  rest: readonly Node[],
  before: (node: Node) => readonly Node[],
  first: PromiseLike<unknown>,
  work: (node: Node) => unknown,
  options: Options & { readonly reversed?: boolean },
  errors: readonly unknown[],
): Promise<unknown[]> {
  const graph = new Graph(rest, before, options.reversed)
  const { onFirstError, ...others } = options
  const told = errors.length === 0 && onFirstError ? { ...others, onFirstError } : others
  return [...errors, ...(await graph.run((node) => (node === rest[0] ? first : work(node)), told))]
}

/** Whether each node stands behind those before it. */
export function standsInOrder<Node extends Placed>(nodes: readonly Node[], before: (node: Node) => readonly Node[]): boolean {
  for (let i = 0; i < nodes.length; i++) nodes[i]!.place = i
  for (let i = 0; i < nodes.length; i++) if (!standsBehind(nodes, before(nodes[i]!), i)) return false
  return true
}

function standsBehind<Node extends Placed>(nodes: readonly Node[], firsts: readonly Node[], i: number): boolean {
  for (let f = 0; f < firsts.length; f++) if (firsts[f]!.place > i && nodes[firsts[f]!.place] === firsts[f]) return false
  return true
}

/** A node knows its place in the graph it is put into: cheaper than a map of a thousand nodes. Only valid while that is built. */
interface Placed {
  place: number
}

/** Pairs of places, one behind the other: what comes first, and what comes after it. */
function edgesOf<Node extends Placed>(nodes: readonly Node[], before: (node: Node) => readonly Node[]): number[] {
  for (let i = 0; i < nodes.length; i++) nodes[i]!.place = i
  const edges: number[] = []
  // Loops over indexes: `for … of` costs the interpreter three times as much, and nothing here runs often enough to be compiled.
  for (let i = 0; i < nodes.length; i++) {
    const firsts = before(nodes[i]!)
    for (let f = 0; f < firsts.length; f++) {
      const { place } = firsts[f]!
      if (nodes[place] === firsts[f] && place !== i) edges.push(place, i)
    }
  }
  return edges
}

/** Nodes and what comes before each, indexed once and run as often as wanted. */
export class Graph<Node extends Placed> {
  readonly #nodes: readonly Node[]
  /** How many come before each node. */
  readonly #counts: Uint32Array
  /** Followers of node `i` are `#followers[#at[i] … #at[i + 1]]`. */
  readonly #at: Uint32Array
  readonly #followers: Uint32Array

  /** `before(node)` names the nodes that come first; those not in `nodes` are ignored. Reversed, they come last. */
  constructor(nodes: readonly Node[], before: (node: Node) => readonly Node[], reversed = false) {
    this.#nodes = nodes
    this.#counts = new Uint32Array(nodes.length)
    this.#at = new Uint32Array(nodes.length + 1)
    const edges = edgesOf(nodes, before)
    const [from, to] = reversed ? [1, 0] : [0, 1]
    for (let e = 0; e < edges.length; e += 2) {
      this.#at[edges[e + from]! + 1]!++
      this.#counts[edges[e + to]!]!++
    }
    for (let i = 0; i < nodes.length; i++) this.#at[i + 1]! += this.#at[i]!
    this.#followers = new Uint32Array(edges.length / 2)
    const next = this.#at.slice()
    for (let e = 0; e < edges.length; e += 2) this.#followers[next[edges[e + from]!]!++] = edges[e + to]!
  }

  /**
   * After a failure nothing new begins (unless `keepGoing`), what runs is waited for, and the errors are returned in the order
   * in which they came. Work that is not asynchronous is done at once, without a promise.
   */
  run(work: (node: Node) => unknown, options: Options = {}): Promise<unknown[]> {
    return new Promise((resolve) => {
      const waiting = this.#counts.slice()
      const ready: number[] = []
      const errors: unknown[] = []
      let next = 0
      let running = 0
      const done = (i: number) => {
        for (let f = this.#at[i]!; f < this.#at[i + 1]!; f++) {
          const follower = this.#followers[f]!
          if (--waiting[follower]! === 0) ready.push(follower)
        }
      }
      const failed = (i: number, error: unknown) => {
        errors.push(error)
        if (errors.length === 1) options.onFirstError?.(error)
        if (options.keepGoing) done(i)
      }
      const settle = (i: number, settled: (i: number, error: unknown) => void, error?: unknown) => {
        running--
        settled(i, error)
        pump()
      }
      const pump = () => {
        while (next < ready.length && (errors.length === 0 || options.keepGoing)) {
          const i = ready[next++]!
          try {
            const result = work(this.#nodes[i]!)
            if (isThenable(result)) {
              running++
              result.then(
                () => settle(i, done),
                (error: unknown) => settle(i, failed, error),
              )
            } else done(i)
          } catch (error) {
            failed(i, error)
          }
        }
        if (running === 0) resolve(errors)
      }
      for (let i = 0; i < waiting.length; i++) if (waiting[i] === 0) ready.push(i)
      pump()
    })
  }
}
