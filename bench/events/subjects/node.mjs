/** Node's own emitter. */
import { EventEmitter } from 'node:events'

export function subject() {
  return new EventEmitter().setMaxListeners(0)
}
