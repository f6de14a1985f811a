import { expect, test } from 'vitest'
import { runCell } from './cell.mjs'

// Some cells of the matrix (npm run bench -- faults runs them all): one of each kind of ending.

test.each([
  { fault: 'hang', runtime: 'inproc', phase: 'start', verdict: 'TIMEOUT' },
  { fault: 'throw', runtime: 'inproc', phase: 'run', verdict: 'CRASHED' },
  { fault: 'late effect', runtime: 'inproc', phase: 'load', verdict: 'TIMEOUT' },
  { fault: 'exit', runtime: 'worker', phase: 'start', verdict: 'CRASHED' },
  { fault: 'out of memory', runtime: 'process', phase: 'load', verdict: 'CRASHED' },
  { fault: 'reject', runtime: 'process', phase: 'stop', verdict: 'STOP_FAILED' },
])('a module ($runtime) with a $fault at $phase leaves the others active and nothing behind', async ({ verdict, ...cell }) => {
  expect(await runCell(cell)).toEqual({ held: true, expected: false, verdict })
})

test('what cannot be held is seen: in process, an exit takes the host along', async () => {
  const result = await runCell({ fault: 'exit', runtime: 'inproc', phase: 'run' })
  expect(result).toEqual({ held: false, expected: true, verdict: 'host dies (documented)' })
})
