import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readGoldenJson } from '../../golden/load.js'
import { LogProbabilities, tokenLogprob } from './log-probabilities.js'
import { adjustLogits, candidates, Sampler } from './sampler.js'
import { resolveSampling, type SamplingOptions } from './sampling-options.js'

interface Case {
  readonly options: SamplingOptions
  readonly history: readonly number[]
  readonly logits: readonly number[]
  readonly probabilities: readonly number[]
}

/** The chain's probabilities [vocabulary]. */
function distribution(values: readonly number[], history: readonly number[], given: SamplingOptions): number[] {
  const logits = Float32Array.from(values)
  const options = resolveSampling(given)
  adjustLogits(logits, history, options)
  const { tokens, weights } = candidates(logits, options)
  const total = weights.reduce((a, b) => a + b)
  const result = new Array<number>(values.length).fill(0)
  for (const [index, token] of tokens.entries()) result[token] = weights[index]! / total
  return result
}

const { sampling } = readGoldenJson('generation') as { sampling: readonly Case[] }

describe("the chain gives Hugging Face's probabilities", () => {
  it.each(sampling.map((golden) => [JSON.stringify(golden.options), golden] as const))('%s', (_, golden) => {
    const found = distribution(golden.logits, golden.history, golden.options)
    for (const [token, probability] of golden.probabilities.entries())
      expect(found[token], `token ${token}`).toBeCloseTo(probability, 5)
  })
})

const plain = { temperature: 1, topK: 0, topP: 1, repetitionPenalty: 1 }
const someLogits = fc.array(fc.integer({ min: -40, max: 40 }), { minLength: 1, maxLength: 30 }).map((v) => v.map((x) => x / 8))
const runs = { numRuns: process.env.ENIGMA_SOAK ? 4000 : 200 }

/** Softmax over the tokens that stay. */
function softmax(logits: readonly number[], kept: (token: number) => boolean): number[] {
  const weights = logits.map((logit, token) => (kept(token) ? Math.exp(logit) : 0))
  const total = weights.reduce((a, b) => a + b)
  return weights.map((weight) => weight / total)
}
const near = (found: readonly number[], expected: readonly number[]) => {
  for (const [token, value] of expected.entries()) expect(found[token]).toBeCloseTo(value, 5)
}

describe('each step alone is what its definition says', () => {
  it('min-p keeps what is at least that share of the likeliest', () => {
    fc.assert(
      fc.property(someLogits, fc.integer({ min: 1, max: 99 }), (logits, percent) => {
        const minP = percent / 100
        const whole = softmax(logits, () => true)
        const peak = Math.max(...whole)
        fc.pre(whole.every((p) => Math.abs(p / peak - minP) > 1e-5))
        near(
          distribution(logits, [], { ...plain, minP }),
          softmax(logits, (token) => whole[token]! >= minP * peak),
        )
      }),
      runs,
    )
  })

  it('top-p keeps the smallest set of likeliest tokens that reaches it', () => {
    fc.assert(
      fc.property(someLogits, fc.integer({ min: 1, max: 99 }), (logits, percent) => {
        const whole = softmax(logits, () => true)
        const order = [...logits.keys()].sort((a, b) => logits[b]! - logits[a]! || a - b)
        const kept = new Set<number>()
        let mass = 0
        for (const token of order) {
          fc.pre(Math.abs(mass - percent / 100) > 1e-6)
          if (mass >= percent / 100) break
          kept.add(token)
          mass += whole[token]!
        }
        near(
          distribution(logits, [], { ...plain, topP: percent / 100 }),
          softmax(logits, (token) => kept.has(token)),
        )
      }),
      runs,
    )
  })

  it('presence counts once, frequency each time, a bias where it is said', () => {
    const history = [0, 0, 2]
    near(
      distribution([1, 1, 1, 1], history, { ...plain, presencePenalty: 0.5, frequencyPenalty: 0.25, logitBias: { 3: 2 } }),
      softmax([0, 1, 0.25, 3], () => true),
    )
  })

  it('a bias of -100 bans a token and one of 100 forces it, greedy too', () => {
    const greedy = (logitBias: Record<number, number>) =>
      new Sampler({ ...plain, temperature: 0, logitBias }).next(Float32Array.of(3, 2, 1), [])
    expect([greedy({}), greedy({ 0: -100 }), greedy({ 2: 100 })]).toEqual([0, 1, 2])
    expect(() => greedy({ 9: 1 })).toThrow("logitBias names the token 9; the model's vocabulary has ids 0 to 2")
    expect(() => resolveSampling({ logitBias: { a: 1 } as never })).toThrow('logitBias must map token ids to numbers, got a: 1')
  })

  it('a token that is impossible is never drawn, however few are left', () => {
    fc.assert(
      fc.property(someLogits, fc.nat(), fc.integer({ min: 0, max: 60 }), (logits, seed, topK) => {
        const allowed = seed % logits.length
        const masked = Float32Array.from(logits, (value, token) => (token === allowed ? value : Number.NEGATIVE_INFINITY))
        expect(new Sampler({ topK, seed, typicalP: 0.9 }).next(masked, [])).toBe(allowed)
      }),
      runs,
    )
  })
})

it("log probabilities have OpenAI's shape and add up to 1", () => {
  fc.assert(
    fc.property(someLogits, (logits) => {
      const probabilities = new LogProbabilities(Float32Array.from(logits))
      const bytesOf = (token: number) => Buffer.from(`<${token}>`)
      const entry = tokenLogprob(probabilities, 0, logits.length, bytesOf)
      expect(entry).toMatchObject({ token: '<0>', bytes: [...Buffer.from('<0>')] })
      const sum = entry.top_logprobs.reduce((total, { logprob }) => total + Math.exp(logprob), 0)
      expect(sum).toBeCloseTo(1, 5)
      expect(entry.top_logprobs.map(({ logprob }) => logprob)).toEqual(
        logits.map((_, token) => probabilities.of(token)).sort((a, b) => b - a),
      )
    }),
    runs,
  )
})
