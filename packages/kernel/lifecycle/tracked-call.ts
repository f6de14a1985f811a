// The answer of a call that is more than a plain promise: it can be awaited, or iterated, or has members of its own.

/**
 * @param answer the counted promise; asked for when somebody waits for it
 * @param stream the counted stream, where the answer is one by itself; otherwise it is a promise of one
 */
export function trackedCall(result: object, answer: () => Promise<unknown>, stream?: () => AsyncIterable<unknown>): unknown {
  let known: Promise<unknown> | undefined
  const promise = () => (known ??= answer())
  async function* pieces() {
    yield* (await promise()) as AsyncIterable<unknown>
  }
  return new Proxy(result, {
    get(target, key) {
      if (key === Symbol.asyncIterator && key in target) {
        return stream ? () => stream()[Symbol.asyncIterator]() : pieces
      }
      const value: unknown = Reflect.get(target, key, target)
      if (typeof value !== 'function' || key === 'constructor') return value
      if (key === 'then' || key === 'catch' || key === 'finally') {
        return (...args: unknown[]) => Reflect.apply(promise()[key], promise(), args) as unknown
      }
      return value.bind(target) as unknown
    },
  })
}
