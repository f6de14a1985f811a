/** Ours, through the public API with everything on: manifests are validated, limits, ledger, scopes, services, events. */
import { ModuleManager, token } from '@enigma/kernel'

export function subject({ graph, body }) {
  const tokens = graph.nodes.map((node) => token(node.name, '1.0'))
  const modules = graph.declared.map((node) => {
    const take = (ctx) => () => node.needs.map((need) => ctx.use(tokens[need]))
    return {
      manifest: { id: node.name, version: '1.0.0', provides: [node.name], requires: node.needs.map((need) => `m${need}`) },
      module: body.synchronous
        ? {
            load: (ctx) => void ctx.provide(tokens[node.index], body.start(node, take(ctx))),
            unload: () => body.stop(node),
          }
        : {
            load: async (ctx) => void ctx.provide(tokens[node.index], await body.start(node, take(ctx))),
            unload: () => body.stop(node),
          },
    }
  })
  // What a user who wants all of them writes: a module that requires those that no other one requires, and one load of it.
  const needed = new Set(graph.nodes.flatMap(({ needs }) => needs))
  const roots = graph.declared.filter(({ index }) => !needed.has(index)).map(({ name }) => name)
  const goal = { manifest: { id: 'all', version: '1.0.0', requires: roots }, module: {} }
  let manager
  return {
    async register() {
      manager = await ModuleManager.open()
      for (const module of modules) manager.register(module)
      manager.register(goal)
    },
    async start() {
      await manager.load('all')
    },
    stop: () => manager.shutdown(),
  }
}
