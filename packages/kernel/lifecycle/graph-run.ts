import { isThenable } from './thenable.js'

// Runs work along a dependency graph: each node as soon as those before it are done, independent ones at the same time.

interface Options {
  /** Go on after a failure: what comes after the failed node begins too. */
  readonly keepGoing?: boolean
  readonly onFirstError?: (error: unknown) => void
}

/**
 * `before(node)` names the nodes that come first; those not in `nodes` are ignored. After a failure nothing new begins
 * (unless `keepGoing`), what runs is waited for, and the errors are returned in the order in which they came.
 * Work that is not asynchronous is done at once, without a promise.
 */
export function runGraph<Node>(
  nodes: readonly Node[],
  before: (node: Node) => readonly Node[],
  run: (node: Node) => unknown,
  options: Options = {},
): Promise<unknown[]> {
  return new Promise((resolve) => new GraphRun(nodes, run, options, resolve).begin(before))
}

class GraphRun<Node> {
  readonly #nodes: readonly Node[]
  readonly #run: (node: Node) => unknown
  readonly #options: Options
  readonly #resolve: (errors: unknown[]) => void
  readonly #waiting: Uint32Array
  readonly #followers: (number[] | undefined)[]
  readonly #ready: number[] = []
  readonly #errors: unknown[] = []
  #next = 0
  #running = 0

  constructor(nodes: readonly Node[], run: (node: Node) => unknown, options: Options, resolve: (errors: unknown[]) => void) {
    this.#nodes = nodes
    this.#run = run
    this.#options = options
    this.#resolve = resolve
    this.#waiting = new Uint32Array(nodes.length)
    this.#followers = new Array<number[] | undefined>(nodes.length)
  }

  begin(before: (node: Node) => readonly Node[]): void {
    const nodes = this.#nodes
    const index = new Map<Node, number>()
    for (let i = 0; i < nodes.length; i++) index.set(nodes[i]!, i)
    for (let i = 0; i < nodes.length; i++) {
      let count = 0
      for (const first of before(nodes[i]!)) {
        const at = index.get(first)
        if (at === undefined || at === i) continue
        const list = this.#followers[at]
        if (list === undefined) this.#followers[at] = [i]
        else list.push(i)
        count++
      }
      this.#waiting[i] = count
      if (count === 0) this.#ready.push(i)
    }
    this.#pump()
  }

  #pump(): void {
    const { keepGoing } = this.#options
    while (this.#next < this.#ready.length && (this.#errors.length === 0 || keepGoing)) {
      const i = this.#ready[this.#next++]!
      try {
        const result = this.#run(this.#nodes[i]!)
        if (isThenable(result)) this.#wait(i, result)
        else this.#done(i)
      } catch (error) {
        this.#fail(i, error)
      }
    }
    if (this.#running === 0) this.#resolve(this.#errors)
  }

  #wait(i: number, result: PromiseLike<unknown>): void {
    this.#running++
    result.then(
      () => {
        this.#running--
        this.#done(i)
        this.#pump()
      },
      (error: unknown) => {
        this.#running--
        this.#fail(i, error)
        this.#pump()
      },
    )
  }

  #done(i: number): void {
    const followers = this.#followers[i]
    if (followers === undefined) return
    for (const follower of followers) {
      const left = this.#waiting[follower]! - 1
      this.#waiting[follower] = left
      if (left === 0) this.#ready.push(follower)
    }
  }

  #fail(i: number, error: unknown): void {
    this.#errors.push(error)
    if (this.#errors.length === 1) this.#options.onFirstError?.(error)
    if (this.#options.keepGoing) this.#done(i)
  }
}
