/** The bodies of the modules: the same for every subject. */
import { setTimeout as delay } from 'node:timers/promises'

/** `start(node, take)` answers the node's service (`take()` gives those of the modules it needs), `stop(node)` undoes it. */
export const bodies = {
  synchronous: (probe) => ({
    synchronous: true,
    start(node, take) {
      probe.begin(node)
      return probe.end(node, take())
    },
    stop(node) {
      probe.stopBegin(node)
      probe.stopEnd(node)
    },
  }),
  asynchronous: (probe) => ({
    synchronous: false,
    async start(node, take) {
      probe.begin(node)
      return probe.end(node, take())
    },
    async stop(node) {
      probe.stopBegin(node)
      probe.stopEnd(node)
    },
  }),
  '5ms': (probe) => ({
    synchronous: false,
    async start(node, take) {
      probe.begin(node)
      await delay(5)
      return probe.end(node, take())
    },
    async stop(node) {
      probe.stopBegin(node)
      probe.stopEnd(node)
    },
  }),
}
