/** awilix, a container: factories are synchronous and lazy, and disposers run in no order. */
import { importPeer } from '../../harness/import-peer.mjs'

const { asFunction, createContainer, InjectionMode } = await importPeer('awilix')

export function subject({ graph, body }) {
  const registrations = graph.declared.map((node) => {
    const factory = (cradle) => {
      const services = node.needs.map((need) => cradle[`m${need}`])
      return body.start(node, () => services)
    }
    return [node.name, factory, () => body.stop(node)]
  })
  let container
  return {
    start() {
      container = createContainer({ injectionMode: InjectionMode.PROXY })
      for (const [name, factory, disposer] of registrations)
        container.register(name, asFunction(factory).singleton().disposer(disposer))
      for (const [name] of registrations) container.resolve(name)
    },
    stop: () => container.dispose(),
  }
}
