import { isThenable } from './thenable.js'

// Work along a dependency graph: each node as soon as those before it are done, independent ones at the same time.

interface Options {
  /** Go on after a failure: what comes after the failed node begins too. */
  readonly keepGoing?: boolean
  readonly onFirstError?: (error: unknown) => void
}

/** Nodes and what comes before each, indexed once and run as often as wanted. */
export class Graph<Node> {
  readonly #nodes: readonly Node[]
  /** How many come before each node. */
  readonly #before: Uint32Array
  /** Followers of node `i` are `#followers[#at[i] … #at[i + 1]]`. */
  readonly #at: Uint32Array
  readonly #followers: Uint32Array

  /** `before(node)` names the nodes that come first; those not in `nodes` are ignored. */
  constructor(nodes: readonly Node[], before: (node: Node) => readonly Node[]) {
    const count = nodes.length
    const index = new Map<Node, number>()
    for (let i = 0; i < count; i++) index.set(nodes[i]!, i)
    const from: number[] = []
    const to: number[] = []
    this.#before = new Uint32Array(count)
    const at = new Uint32Array(count + 1)
    for (let i = 0; i < count; i++) {
      const firsts = before(nodes[i]!)
      for (let f = 0; f < firsts.length; f++) {
        const first = index.get(firsts[f]!)
        if (first === undefined || first === i) continue
        from.push(first)
        to.push(i)
        at[first + 1]!++
        this.#before[i]!++
      }
    }
    for (let i = 0; i < count; i++) at[i + 1]! += at[i]!
    const next = at.slice()
    const followers = new Uint32Array(to.length)
    for (let e = 0; e < to.length; e++) followers[next[from[e]!]!++] = to[e]!
    this.#nodes = nodes
    this.#at = at
    this.#followers = followers
  }

  /**
   * After a failure nothing new begins (unless `keepGoing`), what runs is waited for, and the errors are returned in the order
   * in which they came. Work that is not asynchronous is done at once, without a promise.
   */
  run(work: (node: Node) => unknown, options: Options = {}): Promise<unknown[]> {
    return new Promise((resolve) => {
      const waiting = this.#before.slice()
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
