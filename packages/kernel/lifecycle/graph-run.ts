// Runs work along a dependency graph: each node as soon as those before it are done, independent ones at the same time.

/**
 * `before(node)` names the nodes that come first; those not in `nodes` are ignored. After a failure nothing new begins
 * (unless `keepGoing`), what runs is waited for, and the errors are returned in the order in which they came.
 */
export function runGraph<Node>(
  nodes: readonly Node[],
  before: (node: Node) => readonly Node[],
  run: (node: Node) => Promise<void>,
  options: { readonly keepGoing?: boolean; readonly onFirstError?: (error: unknown) => void } = {},
): Promise<unknown[]> {
  const waiting = new Map<Node, number>()
  const followers = new Map<Node, Node[]>()
  for (const node of nodes) waiting.set(node, 0)
  for (const node of nodes) {
    let count = 0
    for (const first of before(node)) {
      if (first === node || !waiting.has(first)) continue
      const list = followers.get(first)
      if (list === undefined) followers.set(first, [node])
      else list.push(node)
      count++
    }
    waiting.set(node, count)
  }
  return new Promise((resolve) => {
    const errors: unknown[] = []
    let running = 0
    const finish = () => {
      if (running === 0) resolve(errors)
    }
    const done = (node: Node) => {
      for (const follower of followers.get(node) ?? []) {
        const left = waiting.get(follower)! - 1
        waiting.set(follower, left)
        if (left === 0) begin(follower)
      }
      running--
      finish()
    }
    const begin = (node: Node) => {
      if (errors.length > 0 && !options.keepGoing) return
      running++
      run(node).then(
        () => done(node),
        (error: unknown) => {
          errors.push(error)
          if (errors.length === 1) options.onFirstError?.(error)
          if (options.keepGoing) done(node)
          else {
            running--
            finish()
          }
        },
      )
    }
    for (const node of nodes) if (waiting.get(node) === 0) begin(node)
    finish()
  })
}
