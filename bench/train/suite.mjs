/** Tokens or images per second of a whole training step, beside PyTorch's. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { runChild } from '../harness/child.mjs'
import { interleave } from '../harness/interleave.mjs'
import { npmPeers } from '../harness/npm-peers.mjs'
import { findPyTorch, installPyTorch, threadEnvironment } from '../harness/pytorch.mjs'
import { median, ratios, summary } from '../harness/statistics.mjs'
import { UsageError } from '../harness/usage-error.mjs'

export const description =
  'speed of a training step: language models of 5 M and 27 M parameters, a ResNet-8, an LSTM; beside PyTorch, jax-js and tfjs'

export const options = {
  threads: { type: 'string', default: '2', help: 'threads of every subject (2)' },
  case: {
    type: 'string',
    help: 'only this case: train-5m, train-27m, train-5m-1, resnet8, lstm, and train-tiny, resnet8-tiny, lstm-tiny',
  },
  variant: {
    type: 'string',
    help: 'how PyTorch 2 does it: attention gqa, repeat, manual; images contiguous, channels-last (the fastest, but manual)',
  },
  install: { type: 'boolean', default: false, help: 'install the current PyTorch into bench/peers/pytorch, and stop' },
}

const ours = 'enigma'
const tolerance = 1e-3
const { cases } = JSON.parse(readFileSync(new URL('cases.json', import.meta.url), 'utf8'))
const script = fileURLToPath(new URL('pytorch.py', import.meta.url))

/** What is wrong with a sample's counters, or undefined. */
function wrongLoss(expected, sample) {
  for (const [name, value] of Object.entries(expected)) {
    if (!(Math.abs(sample[name] - value) <= tolerance)) return `${name} is ${sample[name]}, expected ${value} ± ${tolerance}`
  }
  return undefined
}

/** Floating-point operations of a step for each token: 6 for every weight of a matrix, the tied embedding once; attention not counted. */
function operationsPerToken({ config: { vocab, dim, layers, heads, kvHeads, hidden } }) {
  const kv = (dim / heads) * kvHeads
  return 6 * (vocab * dim + layers * (2 * dim * dim + 2 * kv * dim + 3 * dim * hidden))
}

/** The same for each image: 6 for every weight of a convolution at every position of its result; no gradient by the image. */
function operationsPerImage({ size, channels }) {
  const stem = 4 * size * size * 27 * channels[0]
  return channels.reduce((total, outputs, index) => {
    const inputs = channels[Math.max(0, index - 1)]
    const weights = 9 * outputs * (inputs + outputs) + (index > 0 ? inputs * outputs : 0)
    return total + 6 * weights * (size >> index) ** 2
  }, stem)
}

/** The same for each step of a sequence: 6 for every weight of the gates; no gradient by the input. */
function operationsPerStep({ features, hidden }) {
  return 4 * hidden * (4 * features + 6 * hidden)
}

/** What the models of cases.json are measured in, and which file of ours trains them. */
const models = {
  llama: { script: fileURLToPath(new URL('llama.mjs', import.meta.url)), unit: 'tokens/s', operations: operationsPerToken },
  resnet8: { script: fileURLToPath(new URL('resnet8.mjs', import.meta.url)), unit: 'images/s', operations: operationsPerImage },
  lstm: { script: fileURLToPath(new URL('lstm.mjs', import.meta.url)), unit: 'time steps/s', operations: operationsPerStep },
}

/** Libraries of arrays for JavaScript, on the cases that say so: they are slow. */
const arrayPeers = [
  { subject: 'jax-js', packages: ['@jax-js/jax'], script: fileURLToPath(new URL('jax-js.mjs', import.meta.url)) },
  {
    subject: 'tfjs',
    packages: ['@tensorflow/tfjs', '@tensorflow/tfjs-backend-wasm'],
    script: fileURLToPath(new URL('tfjs.mjs', import.meta.url)),
  },
]

/** The fastest of the variants that this PyTorch has, by one short process each. */
async function fastestVariant(peer, name, threads, log) {
  const variants = peer.probe.variants[cases[name].model]
  if (variants.length === 1) return variants[0]
  let best = { variant: variants[0], speed: 0 }
  for (const variant of variants) {
    const child = {
      command: peer.python,
      args: peerArguments(name, threads, variant).concat('--steps', '3'),
      env: threadEnvironment(threads),
    }
    const { sample } = await runChild(child)
    if (sample?.perSecond > best.speed) best = { variant, speed: sample.perSecond }
  }
  log(`${name} ${peer.subject}: variant ${best.variant}`)
  return best.variant
}

function peerArguments(name, threads, variant) {
  return [script, 'train', '--case', name, '--threads', String(threads), '--variant', variant]
}

export async function run({ options: { threads: given, case: only, variant: forced, install }, tiny, samples, log }) {
  if (install) return await installPyTorch()
  const threads = Number(given)
  if (!Number.isInteger(threads) || threads < 1) throw new UsageError(`--threads must be a whole number from 1, got ${given}.`)
  const every = ['train-5m', 'train-27m', 'train-5m-1', 'resnet8', 'lstm']
  const names = tiny ? ['train-tiny', 'resnet8-tiny', 'lstm-tiny'] : only === undefined ? every : [only]
  for (const name of names)
    if (!(name in cases)) throw new UsageError(`No case "${name}". There are: ${Object.keys(cases).join(', ')}.`)

  const { found, absent } = await findPyTorch(script, threads)
  const wanted = names.some((name) => cases[name].arrays) ? arrayPeers : []
  const installed = await npmPeers(
    wanted.flatMap(({ packages }) => packages),
    log,
  )
  absent.push(...installed.absent)
  const peak = Math.max(...found.map(({ probe }) => probe.gemmGflops))
  const rows = []
  const voided = []
  const notes = []
  for (const name of names) {
    const { expected, model } = cases[name]
    const { script: own, unit, operations } = models[model]
    const check = (sample) => wrongLoss(expected, sample)
    const subjects = [
      { subject: ours, command: process.execPath, args: [own, '--case', name, '--threads', String(threads)], check },
    ]
    for (const peer of found) {
      const suits = peer.probe.major >= 2 && peer.probe.variants[model].concat(model === 'llama' ? 'manual' : []).includes(forced)
      const variant = suits ? forced : await fastestVariant(peer, name, threads, log)
      notes.push(`${name}: ${peer.subject} with variant "${variant}"`)
      subjects.push({
        subject: peer.subject,
        command: peer.python,
        args: peerArguments(name, threads, variant),
        env: threadEnvironment(threads),
        check,
      })
    }
    for (const { subject, packages, script: file } of cases[name].arrays ? wanted : []) {
      if (packages.some((wants) => !(wants in installed.versions))) continue
      subjects.push({ subject, command: process.execPath, args: [file, '--case', name, '--threads', String(threads)], check })
    }
    const result = await interleave({ what: name, subjects, samples, log })
    voided.push(...result.voided)
    for (const [subject, valid] of result.valid) {
      if (valid.length === 0) continue
      const of = (key) => median(valid.map((sample) => sample[key]))
      const row = summary(
        name,
        subject,
        unit,
        valid.map(({ perSecond }) => perSecond),
      )
      const gflops = (operations(cases[name]) * row.median) / 1e9
      const details = {
        'ms/step': of('msPerStep'),
        'CPU ms/step': of('cpuMsPerStep'),
        'GFLOP/s': gflops,
        'of peak': Number.isFinite(peak) ? `${Math.round((100 * gflops) / peak)} %` : '',
        'MB resident': of('rssMb'),
        others: of('others').toFixed(2),
        loss: of('loss').toFixed(5),
        'after 5 updates': of('trainedLoss').toFixed(5),
      }
      rows.push({ ...row, details, samples: valid })
    }
  }
  if (Number.isFinite(peak))
    notes.push(`peak: ${peak.toFixed(0)} GFLOP/s, the best 1024³ matrix product of a peer on ${threads} threads`)
  notes.push(
    `expected: ${names.map((name) => `${name} loss ${cases[name].expected.loss}, after 5 updates ${cases[name].expected.trainedLoss}`).join('; ')}; ± ${tolerance}`,
  )
  const versions = Object.fromEntries(found.map(({ subject, probe }) => [subject, `${probe.version} (${probe.blas})`]))
  return {
    rows,
    ratios: ratios(rows, ours, 'higher'),
    absent,
    voided,
    notes,
    versions: { ...versions, ...installed.versions, node: process.version },
  }
}
