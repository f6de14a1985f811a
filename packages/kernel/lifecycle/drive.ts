import { isThenable } from './thenable.js'

// Work written as a generator that yields what it may have to wait for. Where nothing is asynchronous it runs through at
// once: no promise is made. Most modules load synchronously, and promises were most of the price of loading them.

/** `const answer = (yield mayBeAPromise) as Answer`. */
export type Steps<T> = Generator<unknown, T, unknown>

/** Runs the steps; the answer is a promise only if a step yielded one. */
export function drive<T>(steps: Steps<T>): T | Promise<T> {
  let next = steps.next()
  while (!next.done) {
    if (isThenable(next.value)) return driveAsync(steps, next.value)
    next = steps.next(next.value)
  }
  return next.value
}

async function driveAsync<T>(steps: Steps<T>, first: PromiseLike<unknown>): Promise<T> {
  let next = await settle(steps, first)
  while (!next.done) next = isThenable(next.value) ? await settle(steps, next.value) : steps.next(next.value)
  return next.value
}

async function settle<T>(steps: Steps<T>, pending: PromiseLike<unknown>): Promise<IteratorResult<unknown, T>> {
  let value: unknown
  try {
    value = await pending
  } catch (error) {
    return steps.throw(error)
  }
  return steps.next(value)
}
