import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Tokenizer } from '../tokenizer/index.js'
import { runs } from '../tokenizer/text.test.support.js'
import type { BatchCursor } from './batches.js'
import { smallTokenizer, story, TemporaryFolder } from './data.test.support.js'
import { prepareTokens } from './prepare-tokens.js'
import type { TokenDataset } from './token-dataset.js'

const folder = new TemporaryFolder()
const valid = `${story(30, 'valid')}<|endoftext|>\n${story(5, 'end 👍')}`
let tokenizer: Tokenizer
let dataset: TokenDataset
let train: number[]

beforeAll(async () => {
  tokenizer = await smallTokenizer()
  const file = folder.write('a.txt', story(60))
  const validation = folder.write('v.txt', valid)
  dataset = (await prepareTokens({ files: [file], tokenizer, folder: folder.at('tokens'), validation, shardTokens: 500 })).dataset
  train = [0, ...tokenizer.encode(story(60)), 0]
  expect(dataset.train.tokens).toBe(train.length)
})
afterAll(() => {
  dataset.close()
  folder[Symbol.dispose]()
})

/** Where a window lies in the training text: found by its tokens, which occur once. */
function placeOf(window: readonly number[]): number {
  const places = train.flatMap((_, at) => (window.every((id, i) => train[at + i] === id) ? [at] : []))
  expect(places.length).toBe(1)
  return places[0]!
}

describe('training batches', () => {
  test('give every window of an epoch once, side by side, from another place in each epoch', () => {
    const sequenceLength = 37
    const phases = [1, 2, 3].map((seed) => {
      const batches = dataset.batches({ batchSize: 1, sequenceLength, seed })
      const places = Array.from({ length: batches.windowsPerEpoch }, () => {
        const { inputs, targets } = batches.next()
        expect([...targets.subarray(0, -1)]).toEqual([...inputs.subarray(1)])
        return placeOf([...inputs, targets.at(-1)!])
      })
      expect(batches.cursor).toMatchObject({ epoch: 0, position: batches.windowsPerEpoch })
      const sorted = [...places].sort((a, b) => a - b)
      expect(sorted).not.toEqual(places)
      const phase = sorted[0]!
      expect(phase).toBeLessThan(sequenceLength)
      expect(sorted).toEqual(sorted.map((_, i) => phase + i * sequenceLength))
      expect(sorted.length).toBe(Math.floor((train.length - 1 - phase) / sequenceLength))
      return phase
    })
    expect(new Set(phases).size).toBeGreaterThan(1)
  })

  test('follow from the seed', () => {
    const first = (seed: number) => [...dataset.batches({ batchSize: 4, sequenceLength: 16, seed }).next().inputs]
    expect(first(5)).toEqual(first(5))
    expect(first(5)).not.toEqual(first(6))
  })

  test('go on from any cursor as if never interrupted, whatever the batch size', () => {
    fc.assert(
      fc.property(
        fc.record({
          seed: fc.nat(),
          sequenceLength: fc.integer({ min: 1, max: 300 }),
          batchSize: fc.integer({ min: 1, max: 7 }),
          before: fc.nat(60),
          otherBatchSize: fc.integer({ min: 1, max: 7 }),
        }),
        ({ seed, sequenceLength, batchSize, before, otherBatchSize }) => {
          const whole = dataset.batches({ batchSize, sequenceLength, seed })
          for (let i = 0; i < before; i++) whole.next()
          const cursor = JSON.parse(JSON.stringify(whole.cursor)) as BatchCursor
          const resumed = dataset.batches({ batchSize, sequenceLength, cursor })
          expect(resumed.cursor).toEqual(cursor)
          for (let i = 0; i < 5; i++) expect(resumed.next()).toEqual(whole.next())
          expect(resumed.cursor).toEqual(whole.cursor)
          const one = dataset.batches({ batchSize: 1, sequenceLength, cursor })
          const many = dataset.batches({ batchSize: otherBatchSize, sequenceLength, cursor })
          expect([...many.next().inputs]).toEqual(Array.from({ length: otherBatchSize }, () => [...one.next().inputs]).flat())
        },
      ),
      runs(40),
    )
  })

  test('are the same in 64 and in 32 bits', () => {
    const options = { batchSize: 3, sequenceLength: 20, seed: 9 }
    const { inputs, targets } = dataset.batches(options).next()
    const [wideInputs, wideTargets] = [new BigInt64Array(60), new BigInt64Array(60)]
    dataset.batches(options).nextInto(wideInputs, wideTargets)
    expect([...wideInputs].map(Number)).toEqual([...inputs])
    expect([...wideTargets].map(Number)).toEqual([...targets])
  })

  test('refuse a cursor of other data or lengths, and one that is damaged', () => {
    const { cursor } = dataset.batches({ batchSize: 2, sequenceLength: 20 })
    const resume =
      (change: Partial<BatchCursor>, sequenceLength = 20) =>
      () =>
        dataset.batches({ batchSize: 2, sequenceLength, cursor: { ...cursor, ...change } })
    expect(resume({})).not.toThrow()
    expect(resume({ data: 'other' })).toThrow(/training data or the tokenizer has changed/)
    expect(resume({}, 21)).toThrow(/sequences of 20 tokens, not 21/)
    expect(resume({ position: 1e6 })).toThrow(/window 1000000 of/)
    expect(resume({ epoch: -1 })).toThrow(expect.objectContaining({ code: 'CURSOR_MISMATCH' }))
  })

  test('need enough text for one window, and say how much there is', () => {
    const { tokens } = dataset.train
    expect(dataset.batches({ batchSize: 2, sequenceLength: tokens - 1 }).windowsPerEpoch).toBe(1)
    expect(() => dataset.batches({ batchSize: 2, sequenceLength: tokens })).toThrow(
      `The training text has ${tokens} tokens; one sequence of ${tokens} needs ${tokens + 1}. Add text, or use sequences of at most ${tokens - 1} tokens`,
    )
    expect(() => dataset.batches({ batchSize: 0, sequenceLength: 5 })).toThrow('batchSize must be a whole number above 0')
    expect(() => dataset.batches({ batchSize: 2, sequenceLength: 5 }).nextInto(new Int32Array(9), new Int32Array(10))).toThrow(
      'need 10 places',
    )
  })
})

describe('validation windows', () => {
  test.each([1, 3, 8])('give every token but the first as a target once, in order, in batches of %i', (batchSize) => {
    const sequenceLength = 11
    const windows = dataset.windows({ batchSize, sequenceLength })
    const tokens = [0, ...valid.split('<|endoftext|>\n').flatMap((text) => [...tokenizer.encode(text), 0])]
    expect(dataset.validation!.tokens).toBe(tokens.length)
    const [inputs, targets] = [new BigInt64Array(batchSize * sequenceLength), new BigInt64Array(batchSize * sequenceLength)]
    const seen = { inputs: [] as number[], targets: [] as number[], tokens: 0, bytes: 0, windows: 0 }
    for (let batch = windows.nextInto(inputs, targets); batch; batch = windows.nextInto(inputs, targets)) {
      const used = batch.windows * sequenceLength
      seen.inputs.push(...[...inputs.subarray(0, used)].map(Number))
      seen.targets.push(...[...targets.subarray(0, used)].map(Number))
      expect([...targets.subarray(used)].every((target) => target === -100n)).toBe(true)
      seen.tokens += batch.tokens
      seen.bytes += batch.bytes
      seen.windows += batch.windows
    }
    const used = windows.count * sequenceLength
    expect(seen.windows).toBe(windows.count)
    expect(windows.count).toBe(Math.floor((tokens.length - 1) / sequenceLength))
    expect(seen.inputs).toEqual(tokens.slice(0, used))
    expect(seen.targets).toEqual(tokens.slice(1, used + 1).map((id) => (id === 0 ? -100 : id)))
    expect(seen.tokens).toBe(tokens.slice(1, used + 1).filter((id) => id !== 0).length)
    expect(seen.bytes).toBe(
      tokens.slice(1, used + 1).reduce((sum, id) => sum + (id === 0 ? 0 : tokenizer.tokenBytes(id).length), 0),
    )
  })

  test('count every byte of the text when windows divide it', () => {
    const windows = dataset.windows({ batchSize: 1, sequenceLength: dataset.validation!.tokens - 1 })
    const size = dataset.validation!.tokens - 1
    expect(windows.nextInto(new Int32Array(size), new Int32Array(size))?.bytes).toBe(
      Buffer.byteLength(valid) - '<|endoftext|>\n'.length,
    )
  })

  test('need held-out text', async () => {
    const prepared = await prepareTokens({ files: [folder.write('b.txt', 'the fox')], tokenizer, folder: folder.at('plain') })
    using plain = prepared.dataset
    expect(() => plain.windows({ batchSize: 1, sequenceLength: 2 })).toThrow(/No text is held out/)
    expect(() => dataset.windows({ batchSize: 1, sequenceLength: 1e6 })).toThrow(
      /The validation text has \d+ tokens; one sequence of 1000000 needs/,
    )
  })
})
