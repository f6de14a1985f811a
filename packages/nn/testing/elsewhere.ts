import { runInThisContext } from 'node:vm'

/** Calls from a file outside of the packages, as people's programs do: messages then name its line, `/elsewhere.js:1`. */
export const elsewhere = runInThisContext('(run) => run()', { filename: '/elsewhere.js' }) as <T>(run: () => T) => T

/** The same of what takes time. */
export const awaitedElsewhere = runInThisContext('async (run) => await run()', { filename: '/elsewhere.js' }) as <T>(
  run: () => Promise<T>,
) => Promise<T>
