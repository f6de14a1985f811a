/** What a module leaves behind: bytes kept for each load and unload, and for each reload of its code. */
import { fileURLToPath } from 'node:url'
import { interleave } from '../harness/interleave.mjs'
import { npmPeers } from '../harness/npm-peers.mjs'
import { median, ratios, summary } from '../harness/statistics.mjs'
import { UsageError } from '../harness/usage-error.mjs'

export const description = 'bytes kept per load/unload and per reload of a 1 MiB module, beside cordis and import(?v)'

export const options = {
  case: { type: 'string', help: 'only this case: load-unload, reload' },
}

const ours = 'enigma'
const script = fileURLToPath(new URL('sample.mjs', import.meta.url))

/** `bound`: bytes for each cycle that we keep at most. `import('?v')` keeps a MiB each time: few cycles show it. */
const cases = {
  'load-unload': {
    bound: 64,
    subjects: [
      { name: ours, warmup: 1000, cycles: 2000 },
      { name: 'cordis', warmup: 1000, cycles: 2000 },
    ],
  },
  reload: {
    bound: 2048,
    subjects: [
      { name: ours, warmup: 100, cycles: 2000 },
      { name: "import('?v')", warmup: 20, cycles: 100 },
    ],
  },
}

// Objects are counted, not machine code: what the compilers make of code that repeats is some 60 B for each of the first
// 5000 cycles (seen in heap snapshots, for every subject), and then nothing.
const flags = ['--expose-gc', '--no-opt', '--no-sparkplug']

export async function run({ options: { case: only }, tiny, samples, log }) {
  if (only !== undefined && !(only in cases))
    throw new UsageError(`No case "${only}". There are: ${Object.keys(cases).join(', ')}.`)
  const { versions, absent } = await npmPeers(['cordis'], log)
  const rows = []
  const voided = []
  const notes = []
  for (const [what, { bound, subjects }] of Object.entries(cases)) {
    if (only !== undefined && only !== what) continue
    const result = await interleave({
      what,
      samples,
      log,
      subjects: subjects
        .filter(({ name }) => !absent.some(({ subject }) => subject === name))
        .map(({ name, warmup, cycles }) => {
          const count = tiny ? 40 : cycles
          const sizes = ['--warmup', String(tiny ? 10 : warmup), '--cycles', String(count)]
          return {
            subject: name,
            command: process.execPath,
            args: [...flags, script, '--cycle', what, '--subject', name, ...sizes],
            check: (sample) => (sample.cycles === count ? undefined : `${sample.cycles} of ${count} cycles ran`),
          }
        }),
    })
    voided.push(...result.voided)
    for (const [subject, valid] of result.valid) {
      if (valid.length === 0) continue
      const of = (key) => median(valid.map((sample) => sample[key]))
      const row = summary(
        what,
        subject,
        'B/cycle',
        valid.map(({ slope }) => slope),
      )
      const details = {
        '95 % low': of('low'),
        '95 % high': of('high'),
        cycles: of('cycles'),
        'CPU ms/cycle': of('cpuMs') / of('cycles'),
      }
      rows.push({ ...row, details, samples: valid })
      if (subject === ours) notes.push(`${what}: ${row.median <= bound ? 'within' : 'ABOVE'} the bound of ${bound} B per cycle`)
    }
  }
  notes.push(
    'slope of a line through heap and array buffers in use after garbage collection, by least squares, after a warm-up; compilers off.',
  )
  const positive = rows.filter(({ median: kept }) => kept > 0)
  return {
    rows,
    ratios: ratios(positive, ours, 'lower'),
    absent,
    voided,
    notes,
    versions: { ...versions, node: process.version },
  }
}
