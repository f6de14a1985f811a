/** The least that there can be: an array of functions for each name. */
export function subject() {
  const handlers = new Map()
  return {
    on(name, listener) {
      if (!handlers.has(name)) handlers.set(name, [])
      handlers.get(name).push(listener)
    },
    emit(name, payload) {
      const list = handlers.get(name)
      if (list === undefined) return
      for (let i = 0; i < list.length; i++) list[i](payload, name)
    },
  }
}
