// A stream seen through a handle: it works as it did, and tells when it has ended.

/** `onEnd` is called once: when the stream is done, has failed, or is returned from. */
export function trackedStream(stream: AsyncIterable<unknown>, onEnd: () => void): AsyncIterable<unknown> {
  let ended = false
  const end = () => {
    if (!ended) onEnd()
    ended = true
  }
  const wrap = (source: AsyncIterator<unknown>): AsyncIterator<unknown> & AsyncIterable<unknown> => {
    const watch = async (step: Promise<IteratorResult<unknown>>) => {
      try {
        const result = await step
        if (result.done) end()
        return result
      } catch (error) {
        end()
        throw error
      }
    }
    return {
      next: (...args) => watch(source.next(...(args as []))),
      async return(value?: unknown) {
        try {
          return source.return ? await source.return(value) : { done: true, value }
        } finally {
          end()
        }
      },
      async throw(error?: unknown) {
        try {
          if (source.throw) return await source.throw(error)
          throw error
        } finally {
          end()
        }
      },
      [Symbol.asyncIterator]() {
        return this
      },
    }
  }
  let iterator: ReturnType<typeof wrap> | undefined
  const own = () => (iterator ??= wrap(stream[Symbol.asyncIterator]()))
  return new Proxy(stream, {
    get(target, key) {
      if (key === Symbol.asyncIterator) return own
      const value: unknown = Reflect.get(target, key, target)
      if (typeof value !== 'function') return value
      // An iterator used by hand (`stream.next()`) counts too.
      if (key === 'next' || key === 'return' || key === 'throw') return own()[key]!.bind(own())
      return value.bind(target) as unknown
    },
  })
}
