/** Milliseconds of single ops, forward and backward, and of optimizer updates, beside PyTorch's. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { runChild } from '../harness/child.mjs'
import { interleave } from '../harness/interleave.mjs'
import { findPyTorch, threadEnvironment } from '../harness/pytorch.mjs'
import { median, ratios, summary } from '../harness/statistics.mjs'
import { UsageError } from '../harness/usage-error.mjs'

export const description = 'ms of ops forward and backward, and of optimizer updates, beside PyTorch'

export const options = {
  threads: { type: 'string', default: '2', help: 'threads of every subject (2)' },
  case: { type: 'string', help: 'only this case: gemm, attention, conv, layer-norm, softmax, embedding, adamw, sgd, muon' },
}

const ours = 'enigma'
const at = (file) => fileURLToPath(new URL(file, import.meta.url))
const ops = JSON.parse(readFileSync(new URL('cases.json', import.meta.url), 'utf8'))
const optimizers = ['adamw', 'sgd', 'muon']
/** Sums of magnitudes agree within this share. */
const tolerance = 1e-4

/** What each case runs on both sides, and what comes out: the time and the counters. */
function caseOf(name, threads, tiny) {
  const common = ['--threads', String(threads)]
  if (optimizers.includes(name)) {
    const args = ['--optimizer', name, ...common, ...(tiny ? ['--tiny', '--updates', '1'] : [])]
    return {
      own: [at('optimizers.mjs'), ...args],
      peer: [at('optimizers.py'), ...args],
      ms: 'msPerUpdate',
      counters: ({ size }) => [size],
    }
  }
  const args = ['--case', name, ...common, ...(tiny ? ['--runs', '1'] : [])]
  return { own: [at('enigma.mjs'), ...args], peer: [at('pytorch.py'), ...args], ms: 'ms', counters: ({ sums }) => sums }
}

/** Images in PyTorch's faster memory format. */
async function fasterLayout(peer, args, env) {
  const measured = []
  for (const variant of [[], ['--channels-last']]) {
    const { sample } = await runChild({ command: peer.python, args: [...args, ...variant, '--runs', '5'], env })
    measured.push({ variant, ms: sample?.ms ?? Number.POSITIVE_INFINITY })
  }
  return measured.sort((a, b) => a.ms - b.ms)[0].variant
}

export async function run({ options: { threads: given, case: only }, tiny, samples, log }) {
  const threads = Number(given)
  if (!Number.isInteger(threads) || threads < 1) throw new UsageError(`--threads must be a whole number from 1, got ${given}.`)
  const all = [...Object.keys(ops), ...optimizers]
  if (only !== undefined && !all.includes(only)) throw new UsageError(`No case "${only}". There are: ${all.join(', ')}.`)
  const { found, absent } = await findPyTorch(at('../train/pytorch.py'), threads)
  const rows = []
  const voided = []
  for (const name of only === undefined ? all : [only]) {
    const { own, peer: peerArguments, ms, counters } = caseOf(name, threads, tiny)
    let expected
    const check = (sample) => {
      const got = counters(sample)
      expected ??= got
      const wrong = got.findIndex((value, index) => !(Math.abs(value - expected[index]) <= tolerance * Math.abs(expected[index])))
      return wrong < 0 ? undefined : `counter ${wrong} is ${got[wrong]}, the first sample's ${expected[wrong]}`
    }
    const env = threadEnvironment(threads)
    const subjects = []
    for (const peer of found) {
      // Muon came to PyTorch with 2.9.
      if (name === 'muon' && peer.probe.major < 2) continue
      const variant = name === 'conv' && !tiny ? await fasterLayout(peer, peerArguments, env) : []
      subjects.push({ subject: peer.subject, command: peer.python, args: [...peerArguments, ...variant], env, check })
    }
    subjects.push({ subject: ours, command: process.execPath, args: own, check })
    const result = await interleave({ what: name, subjects, samples, log })
    voided.push(...result.voided)
    for (const [subject, valid] of result.valid) {
      if (valid.length === 0) continue
      const row = summary(
        name,
        subject,
        'ms',
        valid.map((sample) => sample[ms]),
      )
      const flops = ops[name]?.flops
      const details = {
        ...(flops && { 'GFLOP/s': flops / row.median / 1e6 }),
        'CPU ms in all': median(valid.map(({ cpuMs }) => cpuMs)),
        others: median(valid.map(({ others }) => others)).toFixed(2),
      }
      rows.push({ ...row, details, samples: valid })
    }
  }
  const notes = [
    'forward and backward with a given gradient of the result; the first valid sample gives the sums of magnitudes the others must agree with.',
    'optimizers: one update of the 26 M parameters of the larger language model; muon: matrices by Muon, the rest by AdamW.',
  ]
  const versions = Object.fromEntries(found.map(({ subject, probe }) => [subject, `${probe.version} (${probe.blas})`]))
  return { rows, ratios: ratios(rows, ours, 'lower'), absent, voided, notes, versions: { ...versions, node: process.version } }
}
