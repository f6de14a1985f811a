/** cordis 4: plugins wait for what they inject. It has no "everything is up", so the plugins are watched. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { importPeer } from '../../harness/import-peer.mjs'

const { Context } = await importPeer('cordis')
const active = 2

export function subject({ graph, body }) {
  const plugins = graph.declared.map((node) => {
    const inject = node.needs.map((need) => `m${need}`)
    const take = (ctx) => () => inject.map((name) => ctx[name])
    const keep = (ctx, service) => {
      ctx.provide(node.name, service)
      ctx.effect(() => () => body.stop(node))
    }
    const apply = body.synchronous
      ? (ctx) => keep(ctx, body.start(node, take(ctx)))
      : async (ctx) => keep(ctx, await body.start(node, take(ctx)))
    return { name: `plugin-${node.name}`, inject, apply }
  })
  let group
  return {
    async start() {
      const fibers = []
      group = new Context().plugin({
        name: 'group',
        apply(ctx) {
          for (const plugin of plugins) fibers.push(ctx.plugin(plugin))
        },
      })
      await group
      for (const fiber of fibers) while (fiber.state !== active) await nextTurn()
    },
    stop: () => group.dispose(),
  }
}
