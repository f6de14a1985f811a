/** avvio, which starts strictly in the order of `use`: it is given a topological one. Plugins are async functions or take `done`. */
import { importPeer } from '../../harness/import-peer.mjs'

const { default: avvio } = await importPeer('avvio')

export function subject({ graph, body }) {
  const services = new Map()
  const take = (node) => () => node.needs.map((need) => services.get(need))
  const app = { services }
  const plugins = graph.nodes.map((node) =>
    body.synchronous
      ? (server, _, done) => {
          server.services.set(node.index, body.start(node, take(node)))
          // With a callback that is called at once avvio is twice as fast, and at 2000 modules its stack overflows.
          server.onClose(() => body.stop(node))
          done()
        }
      : async (server) => {
          server.services.set(node.index, await body.start(node, take(node)))
          server.onClose(() => body.stop(node))
        },
  )
  return {
    async start() {
      avvio(app, { autostart: false, timeout: 60_000 })
      for (const plugin of plugins) app.use(plugin)
      await app.ready()
    },
    stop: () => app.close(),
  }
}
