/** The fault matrix: what a module that goes wrong does to the others, and what it leaves behind. */
import { UsageError } from '../harness/usage-error.mjs'
import { runCell } from './cell.mjs'
import { faults, phases, runtimes } from './faults.mjs'

export const description =
  'a module that hangs, throws, exits or eats all memory, in each runtime and phase: the others stay active'

export const options = {
  fault: { type: 'string', help: `only this fault: ${Object.keys(faults).join(', ')}` },
  runtime: { type: 'string', help: `only this runtime: ${runtimes.join(', ')}` },
}

/** Runs work on two cells at a time. */
async function inPairs(items, work) {
  const results = new Array(items.length)
  let next = 0
  const take = async () => {
    while (next < items.length) {
      const index = next++
      results[index] = await work(items[index])
    }
  }
  await Promise.all([take(), take()])
  return results
}

export async function run({ options: { fault: onlyFault, runtime: onlyRuntime }, tiny, log }) {
  if (onlyFault !== undefined && !(onlyFault in faults))
    throw new UsageError(`No fault "${onlyFault}". There are: ${Object.keys(faults).join(', ')}.`)
  if (onlyRuntime !== undefined && !runtimes.includes(onlyRuntime))
    throw new UsageError(`No runtime "${onlyRuntime}". There are: ${runtimes.join(', ')}.`)
  const cells = Object.keys(faults).flatMap((fault) =>
    runtimes.flatMap((runtime) => (tiny ? ['run'] : phases).map((phase) => ({ fault, runtime, phase }))),
  )
  const wanted = cells.filter(
    ({ fault, runtime }) =>
      (onlyFault === undefined || fault === onlyFault) && (onlyRuntime === undefined || runtime === onlyRuntime),
  )
  const results = await inPairs(wanted, async (cell) => {
    const result = { ...cell, ...(await runCell(cell)) }
    log(`${cell.fault}, ${cell.runtime}, ${cell.phase}: ${result.verdict}`)
    return result
  })
  const rows = Object.keys(faults).flatMap((fault) =>
    runtimes.flatMap((runtime) => {
      const row = results.filter((result) => result.fault === fault && result.runtime === runtime)
      if (row.length === 0) return []
      const held = row.filter((result) => result.held).length
      const details = Object.fromEntries(
        phases.map((phase) => [phase, row.find((result) => result.phase === phase)?.verdict ?? '']),
      )
      return [{ what: fault, subject: runtime, unit: `of ${row.length}`, median: held, min: held, max: held, n: 1, details }]
    }),
  )
  const voided = results
    .filter(({ held, expected }) => !held && !expected)
    .map(({ fault, runtime, phase, verdict }) => ({ what: `${fault} at ${phase}`, subject: runtime, reason: verdict }))
  const notes = [
    'Each cell is a fresh process with three healthy modules and one that goes wrong. It holds when the three are active and answer,',
    'nothing is left (listeners, services, timers, memory in the ledger, threads, processes, pipes) and the process ends by itself.',
    'The text is the code of the error that the user is given, or the state in which the module was left when there is none.',
    'Documented: in process, code that exits, eats all memory or never returns takes the host along; so may one growing array in a thread.',
  ]
  return { rows, ratios: {}, absent: [], voided, notes, versions: { node: process.version } }
}
