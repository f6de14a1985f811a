/** cordis 3, the stable release: as cordis 4, but what it undoes is not waited for. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { importPeer } from '../../harness/import-peer.mjs'

const { Context } = await importPeer('cordis3')

export function subject({ graph, body }) {
  let up = 0
  const plugins = graph.declared.map((node) => {
    const inject = node.needs.map((need) => `m${need}`)
    const take = (ctx) => () => inject.map((name) => ctx[name])
    const keep = (ctx, service) => {
      ctx.set(node.name, service)
      ctx.on('dispose', () => body.stop(node))
      up++
    }
    const apply = body.synchronous
      ? (ctx) => keep(ctx, body.start(node, take(ctx)))
      : async (ctx) => keep(ctx, await body.start(node, take(ctx)))
    return { name: `plugin-${node.name}`, inject, apply }
  })
  let group
  return {
    async start() {
      const root = new Context()
      for (const { name } of graph.declared) root.provide(name)
      group = root.plugin({
        name: 'group',
        apply(ctx) {
          for (const plugin of plugins) ctx.plugin(plugin)
        },
      })
      await root.start()
      while (up < plugins.length) await nextTurn()
    },
    stop: () => group.dispose(),
  }
}
