/** The kernel's bus, each listener owned by a module. */
import { EventBus } from '../../../packages/kernel/dist/index.js'

export function subject() {
  const bus = new EventBus()
  let modules = 0
  const on = (name, listener) => bus.on(name, listener, { module: `module${modules++}` })
  return {
    on,
    onAny: (make) => on('**', make('payload, name')),
    emit: (name, payload) => bus.emit(name, payload),
  }
}
