/**
 * What both sides do, the same for each: the first token after loading, then runs of a short prompt and a number of greedy tokens, a long
 * prompt, and several requests at once. Every run has a prompt of its own, so that no cache of prefixes has read it.
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
function prompt(length) {
  const first = 300 + ++prompts
  return Array.from({ length }, (_, i) => (i === 0 ? first : 20 + ((i * 7919 + first) % 200)))
}

/** Milliseconds of a generation, and how many tokens it made. */
async function timed(generate, length, tokens) {
  const ids = prompt(length)
  const asked = performance.now()
  const count = await generate(ids, tokens)
  return { ms: performance.now() - asked, count }
}

/**
 * @param subject `{ generate(ids, tokens): Promise<number of tokens>, greedy(ids, tokens): Promise<their bytes in hex> }`
 * @param started performance.now() before anything was loaded
 */
export async function measure({ generate, greedy }, { shape, concurrent }, started) {
  let generated = await generate(prompt(shape.prompt), 1)
  const loadMs = performance.now() - started
  /** The quickest of four; the first also warms up. */
  const best = async (length, tokens) => {
    let quickest = Number.POSITIVE_INFINITY
    for (let run = 0; run < 4; run++) {
      const { ms, count } = await timed(generate, length, tokens)
      quickest = Math.min(quickest, ms)
      generated += count
    }
    return quickest
  }
  const whole = await best(shape.prompt, shape.tokens)
  const firstTokenMs = await best(shape.prompt, 1)
  const prefillMs = await best(shape.prefill, 1)
  const result = {
    loadMs,
    firstTokenMs,
    decode: ((shape.tokens - 1) / (whole - firstTokenMs)) * 1000,
    prefill: (shape.prefill / prefillMs) * 1000,
    rssMb: process.memoryUsage().rss / 2 ** 20,
  }
  for (const requests of concurrent) {
    result[`batch${requests}`] = 0
    for (let run = 0; run < 2; run++) {
      const asked = performance.now()
      const all = await Promise.all(Array.from({ length: requests }, () => timed(generate, shape.prompt, shape.tokens / 4)))
      const total = all.reduce((sum, { count }) => sum + count, 0)
      result[`batch${requests}`] = Math.max(result[`batch${requests}`], (total / (performance.now() - asked)) * 1000)
      generated += total
    }
  }
  const requested = concurrent.reduce((sum, requests) => sum + 2 * requests, 0)
  const { user, system } = process.cpuUsage()
  return {
    ...result,
    generated,
    expected: 9 + (4 + requested / 4) * shape.tokens,
    greedy: await greedy(prompt(shape.prompt), 32),
    cpuMs: (user + system) / 1000,
  }
}
