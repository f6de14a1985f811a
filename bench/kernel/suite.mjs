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
  { name: 'cordis', packages: ['cordis'] },
  { name: 'cordis3', packages: ['cordis3'] },
  { name: 'awilix', packages: ['awilix'], without: ['asynchronous', '5ms'] },
]

const criticalPathMs = 50
const cpu = (phase) => (sample) => sample[phase].cpuMs
const wall = (phase) => (sample) => sample[phase].wallMs

/** One case is one set of processes; each gives one or more rows. `size` is 1000 unless the run is tiny. */
const cases = {
  plain: {
    body: 'synchronous',
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
  growth: {
    body: 'synchronous',
    factor: 2,
    rows: (size) => [
      { what: `start-${size}`, unit: 'ms CPU', of: cpu('start'), wall: wall('start'), violations: 'startViolations' },
      { what: `stop-${size}`, unit: 'ms CPU', of: cpu('stop'), wall: wall('stop'), violations: 'stopViolations' },
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

/** The growth from the smaller to the larger graph, as rows. */
function growthRows(rows, size) {
  return ['start', 'stop'].flatMap((phase) =>
    rows
      .filter(({ what }) => what === `${phase}-${2 * size}`)
      .flatMap((large) => {
        const small = rows.find(({ what, subject }) => what === `${phase}-${size}` && subject === large.subject)
        if (small === undefined) return []
        const what = `growth-${phase}-${2 * size}:${size}`
        const row = { ...summary(what, large.subject, '×', [large.median / small.median]), n: Math.min(large.n, small.n) }
        return [{ ...row, details: { 'wall ms': '', violations: '' } }]
      }),
  )
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
  const size = tiny ? 100 : 1000
  const rows = []
  const voided = []
  for (const [name, { body, flags = [], factor = 1, rows: rowsOf }] of Object.entries(cases)) {
    // Growth is seen beside the plain case only.
    if (only !== undefined && only !== name && !(only === 'growth' && name === 'plain')) continue
    const modules = size * factor
    const result = await interleave({
      what: name,
      samples,
      log,
      subjects: present
        .filter(({ without = [] }) => !without.includes(body))
        .map(({ name: subject }) => ({
          subject,
          command: process.execPath,
          args: [...flags, script, '--subject', subject, '--body', body, '--modules', String(modules)],
          check: wrongCounters(subject, modules),
        })),
    })
    voided.push(...result.voided)
    for (const { what, unit, of, wall: wallOf, violations, only: subjectsOfRow } of rowsOf(modules)) {
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
  rows.push(...growthRows(rows, size))
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
