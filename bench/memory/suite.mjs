/** What a training step holds in main memory, with and without recomputation, and whether it stays at that. */
import { fileURLToPath } from 'node:url'
import { interleave } from '../harness/interleave.mjs'
import { median, summary } from '../harness/statistics.mjs'
import { UsageError } from '../harness/usage-error.mjs'

export const description =
  'resident memory: a training step of 27 M parameters with and without recomputation, 1000 steps, 1000 rebuilds'

export const options = {
  case: { type: 'string', help: 'only this case: peak, steps, rebuilds' },
}

const script = fileURLToPath(new URL('sample.mjs', import.meta.url))
const mebibyte = 2 ** 20

/** Largest deviation, in percent, from the first measurement after the warm-up (a fifth of the cycles: allocators settle). */
function drift(points) {
  const settled = points.slice(2)
  return Math.max(...settled.map((value) => (100 * Math.abs(value - settled[0])) / settled[0]))
}

/** `bound`: what the median of `measure` must not exceed. */
const cases = {
  peak: {
    unit: 'MB',
    measure: ({ peakMb }) => peakMb,
    model: 'train-27m',
    count: 5,
    subjects: { kept: ['--work', 'train'], recomputed: ['--work', 'train', '--recompute'] },
  },
  steps: {
    unit: '%',
    bound: 5,
    measure: ({ points }) => drift(points),
    model: 'train-tiny',
    count: 1000,
    subjects: { enigma: ['--work', 'train'] },
  },
  rebuilds: {
    unit: '%',
    bound: 5,
    measure: ({ points }) => drift(points),
    model: 'train-tiny',
    count: 1000,
    subjects: { enigma: ['--work', 'rebuild'] },
  },
}

const expected = { 'train-27m': 8.424747, 'train-tiny': 5.532082 }

export async function run({ options: { case: only }, tiny, samples, log }) {
  if (only !== undefined && !(only in cases))
    throw new UsageError(`No case "${only}". There are: ${Object.keys(cases).join(', ')}.`)
  const rows = []
  const voided = []
  const notes = []
  for (const [what, { unit, bound, measure, model: full, count: all, subjects }] of Object.entries(cases)) {
    if (only !== undefined && only !== what) continue
    const [model, count] = tiny ? ['train-tiny', Math.min(all, 20)] : [full, all]
    const result = await interleave({
      what,
      samples,
      log,
      subjects: Object.entries(subjects).map(([subject, flags]) => ({
        subject,
        command: process.execPath,
        args: ['--expose-gc', script, ...flags, '--case', model, '--count', String(count)],
        check: ({ loss }) => (Math.abs(loss - expected[model]) < 1e-4 ? undefined : `the loss is ${loss}`),
      })),
    })
    voided.push(...result.voided)
    for (const [subject, valid] of result.valid) {
      if (valid.length === 0) continue
      const row = summary(what, subject, unit, valid.map(measure))
      const details = {
        'peak MB': median(valid.map(({ peakMb }) => peakMb)),
        'end MB': median(valid.map(({ points }) => points.at(-1))) / mebibyte,
        ...(valid[0].msPerStep && { 'ms/step': median(valid.map(({ msPerStep }) => msPerStep)) }),
      }
      rows.push({ ...row, details, samples: valid })
      if (bound !== undefined)
        notes.push(`${what}: ${row.median <= bound ? 'within' : 'ABOVE'} the bound of ${bound} % after a fifth of the cycles`)
    }
  }
  const peak = (subject) => rows.find((row) => row.what === 'peak' && row.subject === subject)?.median
  const [kept, recomputed] = [peak('kept'), peak('recomputed')]
  if (kept && recomputed)
    notes.push(`peak: recomputation lowers it by ${(100 * (1 - recomputed / kept)).toFixed(1)} % (bound 30 %)`)
  return { rows, ratios: {}, absent: [], voided, notes, versions: { node: process.version } }
}
