/**
 * What both sides do, the same for each: runs of a short prompt and a number of greedy tokens, a long prompt, and several requests at once.
 * Every run has a prompt of its own, so that no cache of prefixes has read it.
 */
import { parseArgs } from 'node:util'
import { models } from './models.mjs'

/** What the command line asks for. */
export function requested() {
  const { values } = parseArgs({
    options: {
      model: { type: 'string' },
      place: { type: 'string' },
      precision: { type: 'string' },
      threads: { type: 'string' },
      concurrent: { type: 'string', default: '' },
    },
  })
  const { prompt, tokens, prefill } = models[values.model]
  const concurrent = values.concurrent === '' ? [] : values.concurrent.split(',').map(Number)
  return { ...values, threads: Number(values.threads), concurrent, shape: { prompt, tokens, prefill } }
}

let prompts = 0
/** Ids of a prompt that nobody has read yet: the first tells them apart. */
function freshPrompt(length) {
  const first = 300 + (++prompts % 200)
  return Array.from({ length }, (_, i) => (i === 0 ? first : 20 + ((i * 7919 + prompts) % 200)))
}

/** Milliseconds of a generation. Throws when it makes another number of tokens than was asked for. */
export async function timed({ generate }, length, tokens) {
  const ids = freshPrompt(length)
  const asked = performance.now()
  const count = await generate(ids, tokens)
  if (count !== tokens) throw new Error(`made ${count} tokens, not ${tokens}`)
  return performance.now() - asked
}

/** The quickest of four; the first also warms up. */
async function best(subject, length, tokens) {
  let quickest = Number.POSITIVE_INFINITY
  for (let run = 0; run < 4; run++) quickest = Math.min(quickest, await timed(subject, length, tokens))
  return quickest
}

/**
 * One text after the other.
 * @param subject `{ generate(ids, tokens) }`, which resolves to the number of tokens made
 */
export async function measureOne(subject, { prompt, tokens, prefill }) {
  const whole = await best(subject, prompt, tokens)
  const firstTokenMs = await best(subject, prompt, 1)
  const prefillMs = await best(subject, prefill, 1)
  const decode = ((tokens - 1) / (whole - firstTokenMs)) * 1000
  return { firstTokenMs, decode, prefill: (prefill / prefillMs) * 1000 }
}

/** Several texts at once: tokens per second of all together, from the first request to the last token; the better of two runs. */
export async function measureSeveral(subject, { prompt, tokens }, requests) {
  let most = 0
  for (let run = 0; run < 2; run++) {
    const asked = performance.now()
    await Promise.all(Array.from({ length: requests }, () => timed(subject, prompt, tokens / 4)))
    most = Math.max(most, ((requests * tokens) / 4 / (performance.now() - asked)) * 1000)
  }
  return { [`batch${requests}`]: most }
}

/** The prompt whose greedy tokens both sides are compared by. */
export const comparedPrompt = Array.from({ length: 8 }, (_, i) => 290 + i)
export const comparedTokens = 32

export const residentMb = () => process.memoryUsage().rss / 2 ** 20

/** Ends a sample: its last line. */
export function finish(result) {
  const { user, system } = process.cpuUsage()
  console.log(JSON.stringify({ ...result, cpuMs: (user + system) / 1000 }))
  process.exit(0)
}
