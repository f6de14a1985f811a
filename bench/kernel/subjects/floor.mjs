/** A lower bound, no rival: promise-memoised topological start, reverse stop; no checks. */

export async function subject({ graph, body }) {
  const services = new Map()
  const order = []
  const starts = new Map()
  const start = (node) => {
    let promise = starts.get(node)
    if (promise === undefined) {
      promise = Promise.all(node.needs.map((need) => start(graph.nodes[need]))).then(async () => {
        const service = body.start(node, () => node.needs.map((need) => services.get(need)))
        services.set(node.index, body.synchronous ? service : await service)
        order.push(node)
      })
      starts.set(node, promise)
    }
    return promise
  }
  return {
    start: () => Promise.all(graph.declared.map(start)),
    async stop() {
      for (const node of order.reverse()) body.synchronous ? body.stop(node) : await body.stop(node)
    },
  }
}
