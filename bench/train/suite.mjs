/** Tokens per second of a whole training step, beside PyTorch's. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { runChild } from '../harness/child.mjs'
import { interleave } from '../harness/interleave.mjs'
import { findPyTorch, installPyTorch, threadEnvironment } from '../harness/pytorch.mjs'
import { median, ratios, summary } from '../harness/statistics.mjs'
import { UsageError } from '../harness/usage-error.mjs'

export const description = 'tokens/s of a training step, 5 M and 27 M parameters, beside PyTorch 2 and 1.13'

export const options = {
  threads: { type: 'string', default: '2', help: 'threads of every subject (2)' },
  case: { type: 'string', help: 'only this case: train-5m, train-27m, train-tiny' },
  attention: { type: 'string', help: 'attention of PyTorch 2: gqa, repeat, manual (the faster of gqa and repeat)' },
  install: { type: 'boolean', default: false, help: 'install the current PyTorch into bench/peers/pytorch, and stop' },
}

const ours = 'enigma'
const tolerance = 1e-3
const { cases } = JSON.parse(readFileSync(new URL('cases.json', import.meta.url), 'utf8'))
const script = fileURLToPath(new URL('pytorch.py', import.meta.url))
const enigma = fileURLToPath(new URL('enigma.mjs', import.meta.url))

/** What is wrong with a sample's counters, or undefined. */
function wrongLoss(expected, sample) {
  for (const [name, value] of Object.entries(expected)) {
    if (!(Math.abs(sample[name] - value) <= tolerance)) return `${name} is ${sample[name]}, expected ${value} ± ${tolerance}`
  }
  return undefined
}

/** Floating-point operations of a step for each token: 6 for every weight of a matrix, the tied embedding once; attention not counted. */
function operationsPerToken({ vocab, dim, layers, heads, kvHeads, hidden }) {
  const kv = (dim / heads) * kvHeads
  return 6 * (vocab * dim + layers * (2 * dim * dim + 2 * kv * dim + 3 * dim * hidden))
}

/** The faster of the attention variants that this PyTorch has, by one short process each. */
async function fastestAttention(peer, name, threads, log) {
  const variants = peer.probe.attention
  if (variants.length === 1) return variants[0]
  let best = { attention: variants[0], speed: 0 }
  for (const attention of variants) {
    const child = {
      command: peer.python,
      args: peerArguments(name, threads, attention).concat('--steps', '3'),
      env: threadEnvironment(threads),
    }
    const { sample } = await runChild(child)
    if (sample?.tokensPerSecond > best.speed) best = { attention, speed: sample.tokensPerSecond }
  }
  log(`${name} ${peer.subject}: attention ${best.attention}`)
  return best.attention
}

function peerArguments(name, threads, attention) {
  return [script, 'train', '--case', name, '--threads', String(threads), '--attention', attention]
}

export async function run({ options: { threads: given, case: only, attention: forced, install }, tiny, samples, log }) {
  if (install) return await installPyTorch()
  const threads = Number(given)
  if (!Number.isInteger(threads) || threads < 1) throw new UsageError(`--threads must be a whole number from 1, got ${given}.`)
  if (forced !== undefined && !['gqa', 'repeat', 'manual'].includes(forced))
    throw new UsageError(`--attention must be gqa, repeat or manual, got ${forced}.`)
  const names = tiny ? ['train-tiny'] : only === undefined ? ['train-5m', 'train-27m'] : [only]
  for (const name of names)
    if (!(name in cases)) throw new UsageError(`No case "${name}". There are: ${Object.keys(cases).join(', ')}.`)

  const { found, absent } = await findPyTorch(script, threads)
  if (!existsSync(enigma)) absent.unshift({ subject: ours, reason: 'bench/train/enigma.mjs is not there' })
  const peak = Math.max(...found.map(({ probe }) => probe.gemmGflops))
  const rows = []
  const voided = []
  const notes = []
  for (const name of names) {
    const { config, expected } = cases[name]
    const check = (sample) => wrongLoss(expected, sample)
    const subjects = []
    if (existsSync(enigma)) {
      subjects.push({
        subject: ours,
        command: process.execPath,
        args: [enigma, '--case', name, '--threads', String(threads)],
        check,
      })
    }
    for (const peer of found) {
      const attention = peer.probe.major >= 2 && forced !== undefined ? forced : await fastestAttention(peer, name, threads, log)
      notes.push(`${name}: ${peer.subject} with attention "${attention}"`)
      subjects.push({
        subject: peer.subject,
        command: peer.python,
        args: peerArguments(name, threads, attention),
        env: threadEnvironment(threads),
        check,
      })
    }
    const result = await interleave({ what: name, subjects, samples, log })
    voided.push(...result.voided)
    for (const [subject, valid] of result.valid) {
      if (valid.length === 0) continue
      const of = (key) => median(valid.map((sample) => sample[key]))
      const row = summary(
        name,
        subject,
        'tokens/s',
        valid.map(({ tokensPerSecond }) => tokensPerSecond),
      )
      const gflops = (operationsPerToken(config) * row.median) / 1e9
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
  return { rows, ratios: ratios(rows, ours, 'higher'), absent, voided, notes, versions: { ...versions, node: process.version } }
}
