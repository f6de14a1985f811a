/** What any of several streams gave, and which; ends when all have. Leaving ends them all. */
export async function* merge<T, R>(
  streams: readonly AsyncGenerator<T, R>[],
): AsyncGenerator<{ readonly index: number; readonly value: T } | { readonly index: number; readonly result: R }> {
  const next = (index: number) => streams[index]!.next().then((step) => ({ index, step }))
  const waiting = new Map(streams.map((_, index) => [index, next(index)] as const))
  try {
    while (waiting.size > 0) {
      const { index, step } = await Promise.race(waiting.values())
      if (step.done) {
        waiting.delete(index)
        yield { index, result: step.value }
      } else {
        waiting.set(index, next(index))
        yield { index, value: step.value }
      }
    }
  } finally {
    // Those that fail while they are left have nobody to tell.
    for (const pending of waiting.values()) pending.catch(() => undefined)
    await Promise.allSettled(streams.map((stream) => stream.return(undefined as R)))
  }
}
