/** Runs one cell of the matrix and says how it went. */
import { fileURLToPath } from 'node:url'
import { runChild } from '../harness/child.mjs'
import { faults } from './faults.mjs'

const host = fileURLToPath(new URL('host.mjs', import.meta.url))

/**
 * @returns `{ held, verdict }`: `held` when the others stayed active, nothing is left and the host ended by itself; `verdict` is
 *   the error's code, or what is wrong. `{ expected: true }` too where the host's death is a documented exception.
 */
export async function runCell({ fault, runtime, phase }) {
  const dies = faults[fault].dies?.includes(runtime) ?? false
  const { sample, failure } = await runChild({
    command: process.execPath,
    args: ['--max-old-space-size=192', host, '--fault', fault, '--runtime', runtime, '--phase', phase],
    timeoutMs: dies ? 8000 : 60_000,
  })
  if (failure !== undefined) return { held: false, expected: dies, verdict: dies ? 'host dies (documented)' : `HOST: ${failure}` }
  const { codes, state, others, left } = sample
  if (others !== undefined) return { held: false, expected: false, verdict: `OTHERS: ${others}` }
  if (left.length > 0) return { held: false, expected: false, verdict: `LEFT: ${left.join(', ')}` }
  const answer = codes.length > 0 ? codes.join('+') : state
  return { held: true, expected: false, verdict: answer }
}
