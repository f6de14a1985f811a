/** Tokens per second of reading and writing text, beside llama.cpp on the same weights. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { interleave } from '../harness/interleave.mjs'
import { findLlamaCpp, installLlamaCpp } from '../harness/llama-cpp.mjs'
import { median, ratios, summary } from '../harness/statistics.mjs'
import { UsageError } from '../harness/usage-error.mjs'
import { readBandwidth } from './bandwidth.mjs'
import { bytesPerToken, describeModel, makeModel, models, precisions } from './models.mjs'

export const description =
  'tokens per second of generation, prompts and concurrent requests, in f32, 8 and 4 bits; beside llama.cpp'

export const options = {
  threads: { type: 'string', default: '2', help: 'threads of every subject (2)' },
  model: { type: 'string', help: 'only this size: 27m, 110m, tiny' },
  precision: { type: 'string', help: 'only this: f32, 8bit, 4bit, 4bit-128' },
  folder: { type: 'string', help: 'where the models are made and kept (default: a temporary folder)' },
  install: { type: 'boolean', default: false, help: 'install node-llama-cpp into bench/peers/llama-cpp, and stop' },
}

const ours = 'enigma'
const peer = 'llama.cpp'
const concurrency = [4, 16]

/** Bytes for each weight of the layers' matrices and of the head: ours has scales in f32, ggml of 32 weights in f16. */
const weightBytes = {
  [ours]: {
    f32: { layer: 4, head: 4 },
    '8bit': { layer: 1.125, head: 1.125 },
    '4bit': { layer: 0.625, head: 1.125 },
    '4bit-128': { layer: 0.53125, head: 1.03125 },
  },
  [peer]: {
    f32: { layer: 4, head: 4 },
    '8bit': { layer: 1.0625, head: 1.0625 },
    '4bit': { layer: 0.5625, head: 1.0625 },
    '4bit-128': { layer: 0.5625, head: 1.0625 },
  },
}

/** What a sample says, row by row: name, unit, whether more is better. */
const measured = [
  { key: 'decode', unit: 'tokens/s', better: 'higher' },
  { key: 'prefill', unit: 'tokens/s', better: 'higher' },
  ...concurrency.map((requests) => ({ key: `batch${requests}`, unit: 'tokens/s', better: 'higher' })),
  { key: 'firstTokenMs', name: 'first-token', unit: 'ms', better: 'lower' },
  { key: 'loadMs', name: 'load', unit: 'ms', better: 'lower' },
  { key: 'rssMb', name: 'resident', unit: 'MB', better: 'lower' },
]

const chosen = (only, all, what) => {
  if (only === undefined) return all
  if (all.includes(only) || only in models) return [only]
  throw new UsageError(`No ${what} "${only}". There are: ${all.join(', ')}.`)
}

export async function run({ options: { threads: given, model, precision, folder, install }, tiny, samples, log }) {
  if (install) return await installLlamaCpp()
  const threads = Number(given)
  if (!Number.isInteger(threads) || threads < 1) throw new UsageError(`--threads must be a whole number from 1, got ${given}.`)
  const names = tiny ? ['tiny'] : chosen(model, ['27m', '110m'], 'model')
  const kinds = chosen(precision, Object.keys(precisions), 'precision')
  const { url, version, reason } = findLlamaCpp()
  const place = folder === undefined ? await mkdtemp(join(tmpdir(), 'enigma-decode-')) : resolve(folder)
  const report = {
    rows: [],
    ratios: {},
    absent: url === undefined ? [{ subject: peer, reason }] : [],
    voided: [],
    notes: [],
    versions: { ...(url !== undefined && { 'node-llama-cpp': version }), node: process.version },
  }
  try {
    const bandwidth = await readBandwidth({ threads, tiny })
    report.notes.push(`read bandwidth: ${(bandwidth / 1e9).toFixed(1)} GB/s, the best of products of vectors with large matrices`)
    for (const name of names) {
      const { config, parameters } = describeModel(name)
      const files = await makeModel(name, place, log)
      report.notes.push(
        `${name}: ${parameters} parameters, random; prompts of ${models[name].prompt} and ${models[name].prefill} tokens`,
      )
      for (const kind of kinds) {
        const concurrent = name === '110m' ? [] : concurrency
        const result = await measureOne({ name, kind, files, url, threads, samples, concurrent, log })
        report.voided.push(...result.voided)
        const limit = (subject) => bandwidth / bytesPerToken(config, weightBytes[subject][kind])
        addRows(report, { name, kind, valid: result.valid, limit })
      }
    }
  } finally {
    if (folder === undefined) await rm(place, { recursive: true, force: true })
  }
  return report
}

/** The samples of one model in one precision. Float32 must write the same tokens on both sides, every other precision the same each time. */
async function measureOne({ name, kind, files, url, threads, samples, concurrent, log }) {
  const greedy = new Map()
  const check = (subject) => (sample) => {
    const key = kind === 'f32' ? 'both' : subject
    if (!greedy.has(key)) greedy.set(key, sample.greedy)
    return sample.greedy === greedy.get(key) ? undefined : 'wrote other tokens than the first sample'
  }
  const common = ['--model', name, '--precision', kind, '--threads', String(threads), '--concurrent', concurrent.join()]
  const child = (subject, file, source) => ({
    subject,
    command: process.execPath,
    args: [fileURLToPath(new URL(file, import.meta.url)), '--place', source, ...common],
    check: check(subject),
  })
  const subjects = [child(ours, 'enigma.mjs', files.folder)]
  if (url !== undefined) subjects.push({ ...child(peer, 'llama-cpp.mjs', files.gguf[kind]), env: { ENIGMA_LLAMA_CPP_URL: url } })
  return interleave({ what: `${name}-${kind}`, subjects, samples, log })
}

function addRows(report, { name, kind, valid, limit }) {
  for (const { key, name: what = key, unit, better } of measured) {
    const rows = []
    for (const [subject, samples] of valid) {
      const values = samples.map((sample) => sample[key]).filter((value) => value !== undefined)
      if (values.length === 0) continue
      const row = summary(`${what}-${name}-${kind}`, subject, unit, values)
      const most = limit(subject)
      const details = {
        limit: key === 'decode' ? most : '',
        'of limit': key === 'decode' ? `${Math.round((100 * row.max) / most)} %` : '',
        others: median(samples.map(({ others }) => others)).toFixed(2),
      }
      rows.push({ ...row, details, samples: values })
    }
    report.rows.push(...rows)
    Object.assign(report.ratios, ratios(rows, ours, better))
  }
}
