/** Publishing events, beside the emitters that people use. */
import { fileURLToPath } from 'node:url'
import { interleave } from '../harness/interleave.mjs'
import { npmPeers } from '../harness/npm-peers.mjs'
import { median, ratios, summary } from '../harness/statistics.mjs'
import { UsageError } from '../harness/usage-error.mjs'

export const description =
  'publishes per CPU-second with 1, 10, 100 and 9+1 listeners, beside node:events, mitt, eventemitter3, tseep'

export const options = {
  case: { type: 'string', help: 'only this case: publish-1, publish-10, publish-100, publish-9+wildcard' },
  subject: { type: 'string', help: 'only us and this peer' },
}

const ours = 'enigma'
const script = fileURLToPath(new URL('sample.mjs', import.meta.url))

/** Subjects and the packages they need. */
const subjects = [
  { name: ours, wildcard: true },
  { name: 'floor' },
  { name: 'node' },
  { name: 'mitt', packages: ['mitt'], wildcard: true },
  { name: 'eventemitter3', packages: ['eventemitter3'] },
  { name: 'tseep', packages: ['tseep'] },
]

/** Listeners of each name, and how many publishes take about half a second. */
const cases = {
  'publish-1': { listeners: 1, publishes: 12_000_000 },
  'publish-10': { listeners: 10, publishes: 2_400_000 },
  'publish-100': { listeners: 100, publishes: 96_000 },
  'publish-9+wildcard': { listeners: 9, wildcard: true, publishes: 2_400_000 },
}

/** What is wrong with a sample, or undefined. */
function wrongCount({ delivered, expected, wrongListeners }) {
  if (delivered !== expected) return `${delivered} of ${expected} events were delivered`
  return wrongListeners > 0 ? `${wrongListeners} listeners had too many or too few events` : undefined
}

export async function run({ options: { case: only, subject: peer }, tiny, samples, log }) {
  if (only !== undefined && !(only in cases))
    throw new UsageError(`No case "${only}". There are: ${Object.keys(cases).join(', ')}.`)
  if (peer !== undefined && !subjects.some(({ name }) => name === peer))
    throw new UsageError(`No subject "${peer}". There are: ${subjects.map(({ name }) => name).join(', ')}.`)
  const wanted = subjects.filter(({ name }) => peer === undefined || name === ours || name === peer)
  const { versions, absent } = await npmPeers(
    wanted.flatMap(({ packages = [] }) => packages),
    log,
  )
  const present = wanted.filter(({ packages = [] }) => packages.every((name) => name in versions))
  const rows = []
  const voided = []
  for (const [what, { listeners, wildcard = false, publishes }] of Object.entries(cases)) {
    if (only !== undefined && only !== what) continue
    const size = tiny ? publishes / 100 : publishes
    const flags = ['--listeners', String(listeners), '--publishes', String(size), ...(wildcard ? ['--wildcard'] : [])]
    const result = await interleave({
      what,
      samples,
      log,
      subjects: present
        .filter((subject) => !wildcard || subject.wildcard)
        .map(({ name: subject }) => ({
          subject,
          command: process.execPath,
          args: [script, '--subject', subject, ...flags],
          check: wrongCount,
        })),
    })
    voided.push(...result.voided)
    for (const [subject, valid] of result.valid) {
      if (valid.length === 0) continue
      const millions = valid.map(({ perCpuSecond }) => perCpuSecond / 1e6)
      const details = {
        'ns each': 1000 / median(millions),
        'M/s wall': median(valid.map(({ perWallSecond }) => perWallSecond)) / 1e6,
        delivered: String(valid[0].delivered),
        others: median(valid.map(({ others }) => others)).toFixed(2),
      }
      rows.push({ ...summary(what, subject, 'M/CPU-s', millions), details, samples: valid })
    }
  }
  const notes = [
    '16 names in turn, a new payload each time; every listener is a function with code of its own, and counts for itself.',
    'enigma: the bus as it is: errors kept apart, promises watched, the last 4096 events remembered, each listener owned by a module.',
    'floor: a map of arrays of functions, called in a loop; keeps nothing apart, remembers nothing, cannot be changed while it runs.',
    'tseep writes code for each name (new Function), which a content security policy forbids.',
  ]
  const compared = rows.filter(({ subject }) => subject !== 'floor')
  return {
    rows,
    ratios: ratios(compared, ours, 'higher'),
    absent,
    voided,
    notes,
    versions: { ...versions, node: process.version },
  }
}
