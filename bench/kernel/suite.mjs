/** Starting and stopping a graph of modules, beside the module systems and containers that people use. */
import { fileURLToPath } from 'node:url'
import { interleave } from '../harness/interleave.mjs'
import { npmPeers } from '../harness/npm-peers.mjs'
import { median, ratios, summary } from '../harness/statistics.mjs'
import { UsageError } from '../harness/usage-error.mjs'

export const description = 'start, stop, growth and heap of 1000 modules, beside avvio, Effect, cordis, awilix'

export const options = {
  case: { type: 'string', help: 'only this case: plain, async, growth, heap, 5ms' },
  subject: { type: 'string', help: 'only us and this peer' },
}

const ours = 'enigma'
const script = fileURLToPath(new URL('sample.mjs', import.meta.url))

/** Subjects and the packages they need. `without`: bodies that they cannot have. */
const subjects = [
  { name: ours },
  { name: 'floor' },
  { name: 'avvio', packages: ['avvio'] },
  { name: 'effect', packages: ['effect'] },
  { name: 'cordis', packages: ['cordis'], slow: true },
  { name: 'cordis3', packages: ['cordis3'], slow: true },
  { name: 'awilix', packages: ['awilix'], without: ['asynchronous', '5ms'] },
]

const criticalPathMs = 50
const cpu = (phase) => (sample) => sample[phase].cpuMs
const wall = (phase) => (sample) => sample[phase].wallMs

/**
 * One case is one set of processes; each gives one or more rows. `size` is 1000 unless the run is tiny. What takes tens of
 * milliseconds differs by half from process to process: `times` as many samples are taken of it, of slow peers fewer.
 * `growth` runs both sizes side by side, as a machine is not as fast in one minute as in the next.
 */
const cases = {
  plain: {
    body: 'synchronous',
    times: 3,
    rows: (size) => [
      { what: `start-${size}`, unit: 'ms CPU', of: cpu('start'), wall: wall('start'), violations: 'startViolations' },
      { what: `stop-${size}`, unit: 'ms CPU', of: cpu('stop'), wall: wall('stop'), violations: 'stopViolations' },
      { what: `register-${size}`, unit: 'ms CPU', of: cpu('register'), wall: wall('register'), only: [ours] },
      { what: 'import', unit: 'ms CPU', of: cpu('import'), wall: wall('import') },
    ],
  },
  async: {
    body: 'asynchronous',
    rows: (size) => [
      { what: `start-${size}-async`, unit: 'ms CPU', of: cpu('start'), wall: wall('start'), violations: 'startViolations' },
      { what: `stop-${size}-async`, unit: 'ms CPU', of: cpu('stop'), wall: wall('stop'), violations: 'stopViolations' },
    ],
  },
  heap: {
    body: 'synchronous',
    flags: ['--expose-gc'],
    rows: () => [{ what: 'heap', unit: 'B/module', of: ({ bytesPerModule }) => bytesPerModule }],
  },
  '5ms': {
    body: '5ms',
    rows: () => [{ what: 'start-5ms', unit: '× path', of: ({ start }) => start.wallMs / criticalPathMs, wall: wall('start') }],
  },
}

/** What is wrong with a sample, or undefined. Peers may stop out of order: that is printed, not void. */
function wrongCounters(subject, size) {
  return ({ started, stopped, wrongServices, startViolations, stopViolations }) => {
    if (started !== size) return `${started} of ${size} modules started`
    if (stopped !== size) return `${stopped} of ${size} modules stopped`
    if (wrongServices > 0) return `${wrongServices} modules were given wrong services`
    if (startViolations > 0) return `${startViolations} modules started before what they need`
    if (subject === ours && stopViolations > 0) return `${stopViolations} modules stopped after what they need`
    return undefined
  }
}

/** Twice the modules beside once: the median of what each pair of neighbouring processes gives. */
async function growth({ subjects, size, samples, log }) {
  const sizes = [size, 2 * size]
  const children = sizes.flatMap((modules) =>
    subjects.map((entry) => ({ ...childOf(entry, cases.plain, modules, samples), subject: `${entry.name} ${modules}` })),
  )
  const { valid, voided } = await interleave({ what: 'growth', samples, log, subjects: children })
  const rows = ['start', 'stop'].flatMap((phase) =>
    subjects.flatMap(({ name }) => {
      const [small, large] = sizes.map((modules) => valid.get(`${name} ${modules}`))
      const pairs = large.flatMap((sample) => {
        const other = small.find(({ round }) => round === sample.round)
        return other === undefined ? [] : [sample[phase].cpuMs / other[phase].cpuMs]
      })
      if (pairs.length === 0) return []
      const row = summary(`growth-${phase}-${2 * size}:${size}`, name, '×', pairs)
      return [{ ...row, details: { 'wall ms': median(large.map(wall(phase))), violations: '' }, samples: large }]
    }),
  )
  return { rows, voided }
}

/** A process that starts and stops so many modules. */
function childOf({ name: subject, slow }, { body, flags = [] }, modules, samples) {
  return {
    subject,
    command: process.execPath,
    args: [...flags, script, '--subject', subject, '--body', body, '--modules', String(modules)],
    check: wrongCounters(subject, modules),
    // A slow peer runs in the first, a middle and the last rounds.
    every: slow ? Math.max(1, Math.floor(samples / 3)) : 1,
  }
}

export async function run({ options: { case: only, subject: peer }, tiny, samples, log }) {
  const names = [...Object.keys(cases), 'growth']
  if (only !== undefined && !names.includes(only)) throw new UsageError(`No case "${only}". There are: ${names.join(', ')}.`)
  if (peer !== undefined && !subjects.some(({ name }) => name === peer))
    throw new UsageError(`No subject "${peer}". There are: ${subjects.map(({ name }) => name).join(', ')}.`)
  const wanted = subjects.filter(({ name }) => peer === undefined || name === ours || name === peer)
  const { versions, absent } = await npmPeers(
    wanted.flatMap(({ packages = [] }) => packages),
    log,
  )
  const present = wanted.filter(({ packages = [] }) => packages.every((name) => name in versions))
  const size = tiny ? 100 : 1000
  const rows = []
  const voided = []
  for (const [name, given] of Object.entries(cases)) {
    if (only !== undefined && only !== name) continue
    const rounds = tiny ? samples : samples * (given.times ?? 1)
    const result = await interleave({
      what: name,
      samples: rounds,
      log,
      subjects: present
        .filter(({ without = [] }) => !without.includes(given.body))
        .map((entry) => childOf(entry, given, size, rounds)),
    })
    voided.push(...result.voided)
    for (const { what, unit, of, wall: wallOf, violations, only: subjectsOfRow } of given.rows(size)) {
      for (const [subject, valid] of result.valid) {
        if (valid.length === 0 || (subjectsOfRow !== undefined && !subjectsOfRow.includes(subject))) continue
        const row = summary(what, subject, unit, valid.map(of))
        const details = {
          'wall ms': wallOf === undefined ? '' : median(valid.map(wallOf)),
          violations: violations === undefined ? '' : String(Math.max(...valid.map((sample) => sample[violations]))),
        }
        rows.push({ ...row, details, samples: valid })
      }
    }
  }
  if (only === undefined || only === 'growth') {
    const grown = await growth({ subjects: present, size, samples: tiny ? samples : 2 * samples, log })
    rows.push(...grown.rows)
    voided.push(...grown.voided)
  }
  const compared = rows.filter(({ what, subject }) => subject !== 'floor' && !what.startsWith('growth'))
  const notes = [
    'start: from nothing to all active, registration included; a service each, three taken, one called. stop: everything.',
    'floor: 15 lines without checks, a lower bound, no rival. avvio is given the modules in a right order, the others shuffled.',
    'cordis is version 4 (rc), cordis3 the stable one. awilix is a container: synchronous factories, made when first asked for.',
    'violations: edges (of 2700 at 1000 modules) stopped or started in the wrong order; a peer that stops out of order keeps its row, we do not.',
    `start-5ms: each start awaits 5 ms; wall time over the critical path of ${criticalPathMs} ms.`,
  ]
  return {
    rows,
    ratios: ratios(compared, ours, 'lower'),
    absent,
    voided,
    notes,
    versions: { ...versions, node: process.version },
  }
}
