import { describe, expect, it } from 'vitest'
import { readGoldenJson } from '../golden/load.js'
import { type BeamOptions, beamSearch, type Hypothesis } from './beam-search.js'
import type { Forward } from './forward.js'
import { resolveSampling } from './sampling/sampling-options.js'

interface Golden {
  /** Logits [last token, next token]. */
  readonly table: readonly (readonly number[])[]
  readonly cases: readonly (BeamOptions & {
    readonly prompt: readonly number[]
    readonly limit: number
    readonly repetitionPenalty: number
    readonly found: readonly Hypothesis[]
  })[]
}

const { table, cases } = (readGoldenJson('generation') as { beams: Golden }).beams

/** A model that looks at the last token only; counts how many computations are open. */
class TableForward implements Forward {
  static open = 0
  #closed = false
  constructor() {
    TableForward.open++
  }
  async next(tokens: readonly number[]): Promise<Float32Array> {
    expect(this.#closed).toBe(false)
    return Float32Array.from(table[tokens.at(-1)!]!)
  }
  fork(): Forward {
    return new TableForward()
  }
  close(): void {
    expect(this.#closed).toBe(false)
    this.#closed = true
    TableForward.open--
  }
}

describe("beam search finds Hugging Face's texts and scores", () => {
  it.each(cases.map((golden) => [JSON.stringify({ ...golden, found: undefined, prompt: undefined }), golden] as const))(
    '%s',
    async (_, { repetitionPenalty, found, ...options }) => {
      const setting = { ...options, eosIds: [0], vocabSize: table.length, sampling: resolveSampling({ repetitionPenalty }) }
      const hypotheses = await beamSearch(new TableForward(), setting)
      expect(hypotheses.map(({ tokens, ended }) => ({ tokens, ended }))).toEqual(
        found.map(({ tokens, ended }) => ({ tokens, ended })),
      )
      for (const [index, { score }] of found.entries()) expect(hypotheses[index]!.score).toBeCloseTo(score, 4)
      expect(TableForward.open).toBe(0)
    },
  )
})

it('a model that computes no numbers is an error', async () => {
  class Broken extends TableForward {
    override async next(): Promise<Float32Array> {
      return Float32Array.of(1, Number.NaN, 2)
    }
  }
  const setting = { beams: 2, prompt: [1], limit: 3, eosIds: [0], vocabSize: 3, sampling: resolveSampling({}) }
  await expect(beamSearch(new Broken(), setting)).rejects.toMatchObject({ code: 'NOT_FINITE' })
  expect(TableForward.open).toBe(0)
})
