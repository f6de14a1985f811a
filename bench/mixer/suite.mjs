/** The coherence mixer beside attention: how well byte models with each learn, and how fast one layer of each is. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { interleave } from '../harness/interleave.mjs'
import { median, ratios, summary } from '../harness/statistics.mjs'
import { UsageError } from '../harness/usage-error.mjs'

export const description = 'the coherence mixer beside attention: bits per byte on the stories, speed at 256, 1024, 4096 tokens'

export const options = {
  threads: { type: 'string', default: '2', help: 'threads of every subject (2)' },
  part: { type: 'string', help: 'only this part: quality, speed' },
  steps: { type: 'string', default: '2000', help: 'updates of each byte model (2000)' },
  batch: { type: 'string', default: '8', help: 'sequences of an update (8)' },
  length: { type: 'string', default: '256', help: 'bytes of a sequence (256)' },
  lr: { type: 'string', default: '0.002', help: 'largest learning rate (0.002)' },
  data: {
    type: 'string',
    help: 'folder of train.txt and valid.txt (ENIGMA_DATA/stories, else ../shared/data/stories beside the checkout)',
  },
}

const subjects = { mixer: 'coherence-mixer', attention: 'attention' }
const ours = subjects.mixer
const script = (name) => fileURLToPath(new URL(name, import.meta.url))

/** A new network guesses bytes evenly: ln 256 nats. */
function wrongQuality({ firstLoss, bitsPerByte }) {
  if (!(Math.abs(firstLoss - Math.log(256)) < 0.2))
    return `the first loss is ${firstLoss}, expected ${Math.log(256).toFixed(2)} ± 0.2`
  return bitsPerByte < 8 ? undefined : `${bitsPerByte} bits per byte: it learned nothing`
}

/** Output and target are noise of variance 1, and the gradient is a number. */
function wrongSpeed({ loss, gradNorm }) {
  if (!(loss > 0.9 && loss < 1.2)) return `the loss is ${loss}, expected 0.9 to 1.2`
  return Number.isFinite(gradNorm) && gradNorm > 0 ? undefined : `the gradient's norm is ${gradNorm}`
}

function dataFolder({ data }) {
  const shared = process.env.ENIGMA_DATA ?? fileURLToPath(new URL('../../../shared/data', import.meta.url))
  const folder = data ?? `${shared}/stories`
  if (!existsSync(`${folder}/train.txt`))
    throw new UsageError(`${folder} has no train.txt. Give --data, or set ENIGMA_DATA to the folder that holds stories/.`)
  return folder
}

const subjectsOf = (file, settings, check) =>
  Object.entries(subjects).map(([kind, subject]) => ({
    subject,
    command: process.execPath,
    args: [script(file), '--kind', kind, ...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)])],
    check,
    timeoutMs: 3_600_000,
  }))

/** A row for each subject; `details` are medians of what the samples tell. */
function rowsOf({ valid }, what, unit, key, details) {
  return [...valid].flatMap(([subject, samples]) => {
    if (samples.length === 0) return []
    const of = (name) => median(samples.map((sample) => sample[name]))
    return [
      {
        ...summary(
          what,
          subject,
          unit,
          samples.map((sample) => sample[key]),
        ),
        details: details(of),
        samples,
      },
    ]
  })
}

export async function run({ options: given, tiny, samples, log }) {
  const { threads, part, batch, length, lr } = given
  if (part !== undefined && !['quality', 'speed'].includes(part))
    throw new UsageError(`--part must be quality or speed, got ${part}.`)
  const steps = tiny ? 10 : Number(given.steps)
  if (!Number.isInteger(steps) || steps < 1) throw new UsageError(`--steps must be a whole number from 1, got ${given.steps}.`)
  const rows = []
  const voided = []
  const ratio = {}
  const notes = []
  const details = (of) => ({
    parameters: of('parameters'),
    'MB resident': of('rssMb'),
    others: of('others').toFixed(2),
  })

  if (part !== 'speed') {
    const what = `bits-per-byte-${steps}-steps`
    const data = dataFolder(given)
    // Each sample has a seed of its own, for weights and batches; both subjects have it.
    const all = { valid: new Map(Object.values(subjects).map((subject) => [subject, []])), voided: [] }
    for (let seed = 1; seed <= (tiny ? 1 : samples); seed++) {
      const settings = { data, steps, batch, length, threads, lr, seed }
      const one = await interleave({
        what: `${what} seed ${seed}`,
        subjects: subjectsOf('quality.mjs', settings, wrongQuality),
        samples: 1,
        log,
      })
      for (const [subject, valid] of one.valid) all.valid.get(subject).push(...valid)
      all.voided.push(...one.voided)
    }
    const found = rowsOf(all, what, 'bits/byte', 'bitsPerByte', details)
    for (const { subject, samples: of } of found) {
      const [{ curve, validBytes, bytesPerSecond }] = of
      notes.push(
        `${what} ${subject}, seed 1: ${curve.join(' ')} while training; ${validBytes} bytes measured; ${bytesPerSecond.toFixed(0)} bytes/s`,
      )
    }
    Object.assign(ratio, ratios(found, ours, 'lower'))
    rows.push(...found)
    voided.push(...all.voided)
  }
  if (part !== 'quality') {
    for (const size of tiny ? [256] : [256, 1024, 4096]) {
      const what = `forward-backward-${size}`
      const settings = { length: size, tokens: tiny ? 256 : 4096, threads, repeats: tiny ? 2 : 10 }
      const result = await interleave({ what, subjects: subjectsOf('speed.mjs', settings, wrongSpeed), samples, log })
      const found = rowsOf(result, what, 'tokens/s', 'tokensPerSecond', details)
      Object.assign(ratio, ratios(found, ours, 'higher'))
      rows.push(...found)
      voided.push(...result.voided)
    }
  }
  notes.push('bits per byte: below is better; its ratio is the peer over ours, so above 1 ours is better too')
  return { rows, ratios: ratio, absent: [], voided, notes, versions: { node: process.version } }
}
