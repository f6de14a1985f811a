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
  let pending: unknown = first
  for (;;) {
    let value = pending
    let failed = false
    if (isThenable(pending)) {
      try {
        value = await pending
      } catch (error) {
        value = error
        failed = true
      }
    }
    const next = failed ? steps.throw(value) : steps.next(value)
    if (next.done) return next.value
    pending = next.value
  }
}
