/** Effect: a layer for each module, provided with the layers of what it needs; built and closed by a scope. */
import { importPeer } from '../../harness/import-peer.mjs'

const { Context, Effect, Exit, Layer, Scope } = await importPeer('effect')

export function subject({ graph, body }) {
  const tags = graph.nodes.map((node) => Context.Service(node.name))
  const run = (work) => (body.synchronous ? Effect.sync(work) : Effect.promise(work))
  let scope
  return {
    async start() {
      // A layer names those it needs: they are made in a right order.
      const layers = []
      for (const node of graph.nodes) {
        const acquire = Effect.gen(function* () {
          const services = []
          for (const need of node.needs) services.push(yield* tags[need])
          return yield* run(() => body.start(node, () => services))
        })
        const layer = Layer.effect(
          tags[node.index],
          Effect.acquireRelease(acquire, () => run(() => body.stop(node))),
        )
        const needed = node.needs.map((need) => layers[need])
        layers.push(needed.length === 0 ? layer : Layer.provide(layer, needed))
      }
      scope = await Effect.runPromise(Scope.make())
      const all = Layer.mergeAll(...graph.declared.map(({ index }) => layers[index]))
      await Effect.runPromise(Layer.buildWithScope(all, scope))
    },
    stop: () => Effect.runPromise(Scope.close(scope, Exit.void)),
  }
}
