/** Runs one cell of the matrix and says how it went. */
import { fileURLToPath } from 'node:url'
import { runChild } from '../harness/child.mjs'
import { faults } from './faults.mjs'

const host = fileURLToPath(new URL('host.mjs', import.meta.url))

/**
 * @returns `{ held, expected, verdict }`. `held`: the others stayed active, nothing is left and the host ended by itself; `verdict`:
 *   the error's code, or what is wrong; `expected`: the host died in the way that is documented.
 */
export async function runCell({ fault, runtime, phase }) {
  const death = faults[fault].dies?.[runtime]
  const { sample, failure } = await runChild({
    command: process.execPath,
    args: ['--max-old-space-size=192', host, '--fault', fault, '--runtime', runtime, '--phase', phase],
    timeoutMs: death === undefined ? 60_000 : 10_000,
  })
  if (failure !== undefined) {
    const expected = death?.test(failure) ?? false
    return { held: false, expected, verdict: expected ? 'host dies (documented)' : `HOST: ${failure}` }
  }
  const { codes, state, others, left } = sample
  if (others !== undefined) return { held: false, expected: false, verdict: `OTHERS: ${others}` }
  if (left.length > 0) return { held: false, expected: false, verdict: `LEFT: ${left.join(', ')}` }
  return { held: true, expected: false, verdict: codes.length > 0 ? codes.join('+') : state }
}
