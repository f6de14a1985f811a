import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { lockFolder, lockHolder } from '../checkpoint/index.js'
import { evaluate } from '../evaluation/evaluate.js'
import { TextGenerator } from '../generation/text-generator.js'
import { LanguageModel } from '../language-model.js'
import { collect, RunFolder, trainInChild } from '../testing/run-folder.js'
import { sampleText } from '../testing/sample-text.js'
import { train } from './train.js'
import type { TrainOptions } from './train-options.js'

let folder: RunFolder
let base: TrainOptions
let text: string

beforeEach(() => {
  folder = new RunFolder()
  base = folder.base
  text = folder.at('text.txt')
})
afterEach(() => folder[Symbol.dispose]())

/** Trains in a child process that is killed outright as soon as it reports `step`. */
const trainUntilKilled = (options: TrainOptions, step: number) =>
  trainInChild(options, (kill, event) => {
    if (event?.type === 'report' && event.step === step) kill()
  })

it('learns: the loss falls, and what it reports is what happened', async () => {
  const { events, result } = await collect({ ...base, steps: 60, learningRate: 3e-3 })
  const reports = events.filter((event) => event.type === 'report')
  expect(reports.map(({ step }) => step)).toEqual(Array.from({ length: 60 }, (_, index) => index + 1))
  expect(reports[0]!.loss).toBeGreaterThan(5)
  expect(reports.at(-1)!.loss).toBeLessThan(reports[0]!.loss / 2)
  expect(result).toMatchObject({ step: 60, steps: 60, stopped: false, tokens: 60 * 64 })
  const validation = events.filter((event) => event.type === 'validation')
  expect(validation.map(({ step }) => step)).toEqual([6, 12, 18, 24, 30, 36, 42, 48, 54, 60])
  expect(result.bitsPerByte).toBe(validation.at(-1)!.bitsPerByte)
})

it('makes a model folder that generates and evaluates', async () => {
  await collect({ ...base, steps: 60, learningRate: 3e-3, dtype: 'f16' })
  const model = await LanguageModel.load(base.out)
  expect(model).toMatchObject({ name: 'model', preset: 'nano' })
  const generator = await TextGenerator.create(model, { spin: false })
  const options = { maxTokens: 24, temperature: 0 }
  const { text: told, tokens, finishReason } = await generator.complete('The old', options)
  expect(told.length).toBeGreaterThan(10)
  expect({ tokens, finishReason }).toEqual({ tokens: 24, finishReason: 'length' })
  expect((await generator.complete('The old', options)).text).toBe(told)
  expect((await generator.complete('The old', { ...options, cache: false })).text).toBe(told)
  generator.close()
  const measured = await evaluate(base.out, { data: [text], compare: { ngramTrain: [text] }, spin: false })
  const [xz, ngram] = measured.references!
  expect(xz!.name).toBe('xz -9e')
  expect(ngram!.bitsPerByte).toBeGreaterThan(0)
  expect(ngram!.bitsPerByte).toBeLessThan(measured.bitsPerByte)
  expect(measured.bitsPerByte).toBeGreaterThan(0)
  expect(measured.bitsPerByte).toBeLessThan(3)
  expect(measured.bitsPerByte).toBeCloseTo((measured.loss * measured.tokens) / Math.LN2 / measured.bytes, 10)
})

it('two equal runs end with the same bytes, with dropout and accumulation too', async () => {
  const settings = { ...base, dropout: 0.1, accumulate: 2 }
  await collect(settings)
  await collect({ ...settings, out: folder.at('again') })
  expect(await folder.sameWeights(folder.at('again'), base.out)).toBe(true)
})

it('computing blocks again instead of keeping them changes no byte, from the first step or from the middle', async () => {
  const settings = { ...base, dropout: 0.1 }
  await collect(settings)
  const again = { ...settings, out: folder.at('again'), recompute: true }
  const stopping = new AbortController()
  await train({ ...again, signal: stopping.signal }, (event) => {
    if (event.type === 'report' && event.step === 5) stopping.abort()
  })
  await collect({ ...again, resume: true, recompute: false })
  expect(await folder.sameWeights(again.out, base.out)).toBe(true)
})

it.each([2, 6, 11])('killed outright after step %i and resumed, it ends with the bytes of an uninterrupted run', async (step) => {
  const settings = { ...base, dropout: 0.1 }
  await collect({ ...settings, out: folder.at('whole') })
  expect(await trainUntilKilled(settings, step)).toBe(false)
  const { events } = await collect({ ...settings, resume: true })
  expect(events.find((event) => event.type === 'start')).toMatchObject({ resumed: step > 4, step: Math.floor(step / 4) * 4 })
  expect(await folder.sameWeights(base.out, folder.at('whole'))).toBe(true)
})

it('stopped by its signal it leaves a checkpoint of that step, and resuming ends with the same bytes', async () => {
  await collect({ ...base, out: folder.at('whole') })
  const stopping = new AbortController()
  const result = await train({ ...base, signal: stopping.signal }, (event) => {
    if (event.type === 'report' && event.step === 5) stopping.abort()
  })
  expect(result).toMatchObject({ stopped: true, step: 5 })
  await expect(readFile(join(base.out, 'model.safetensors'))).rejects.toThrow(/ENOENT/)
  await collect({ ...base, resume: true })
  expect(await folder.sameWeights(base.out, folder.at('whole'))).toBe(true)
})

it('goes on from an existing model, in a longer context', async () => {
  await collect(base)
  const { sequence: _, size: __, vocabSize: ___, ...rest } = base
  const { result } = await collect({ ...rest, from: base.out, out: folder.at('longer'), sequence: 64, steps: 3 })
  expect(result.step).toBe(3)
  expect((await LanguageModel.load(folder.at('longer'))).config.context).toBe(64)
})

it.each([
  [{ size: 'tinny' }, /Unknown preset: tinny.*tiny/],
  [{ data: ['nowhere.txt'] }, /nowhere.txt/],
  [{ size: 'titan' }, /Training 19,.* parameters.* needs about .* GB of memory; there are .* The largest size that fits is/],
  [{ learningRate: 5 }, /learningRate must be above 0 and at most 1, got 5/],
  [{ steps: 0 }, /steps must be a positive whole number, got 0/],
  [{ steps: 3, epochs: 1 }, /steps or epochs/],
  [{ resume: true }, /no training run to resume/],
])('refuses %o before it writes anything', async (wrong, message) => {
  await expect(train({ ...base, ...(wrong as Partial<TrainOptions>) })).rejects.toThrow(message)
  await expect(readFile(join(base.out, 'trainer', 'run.json'))).rejects.toThrow(/ENOENT/)
})

it('refuses a folder that holds a model, unless told to resume or replace it', async () => {
  await collect({ ...base, steps: 2 })
  await expect(train({ ...base, steps: 2 })).rejects.toThrow(/--resume.*--force/)
  const { result } = await collect({ ...base, steps: 2, force: true })
  expect(result.step).toBe(2)
})

it('warns about little text, and says so when it is too little to train on', async () => {
  await writeFile(text, sampleText(10))
  const { valid: _, ...noValidation } = base
  const { events } = await collect({ ...noValidation, vocabSize: 270, steps: 1 })
  expect(events.find((event) => event.type === 'warning')).toMatchObject({ message: expect.stringMatching(/1000/) })
  await writeFile(text, 'Once.')
  await expect(train({ ...noValidation, out: folder.at('other'), vocabSize: 270 })).rejects.toThrow(/tokens/)
})

it('holds the folder from beginning to end, and a second run is refused without touching the first', async () => {
  const holders: (string | undefined)[] = []
  const first = train({ ...base, steps: 8 }, (event) => {
    if (event.type !== 'start' && event.type !== 'checkpoint') return
    void lockHolder(base.out).then((holder) => holders.push(holder?.purpose))
  })
  await first
  expect(holders).toEqual(['training', 'training', 'training'])
  expect(await lockHolder(base.out)).toBeNull()

  await using _lock = await lockFolder(base.out, 'a test')
  await expect(train({ ...base, force: true })).rejects.toThrow(/a test/)
  expect(await readFile(join(base.out, 'trainer', 'latest.json'), 'utf8')).toContain('8')
})

it('keeps the model that --force replaces until the new one is complete', async () => {
  await collect({ ...base, steps: 2 })
  const stopping = new AbortController()
  const again = { ...base, vocabSize: 280, force: true, signal: stopping.signal }
  expect(await train(again, ({ type }) => type === 'start' && stopping.abort())).toMatchObject({ stopped: true, step: 0 })
  expect((await LanguageModel.load(base.out)).config.vocabSize).toBe(300)
})

it('a resumed run keeps its settings, but for steps, learning rate and threads', async () => {
  await collect({ ...base, steps: 4 })
  await expect(train({ ...base, resume: true, batch: 4 })).rejects.toThrow(/This run has batch 2/)
  const { events } = await collect({ ...base, resume: true, steps: 5, learningRate: 0.01, schedule: 'cosine' })
  const [report] = events.filter((event) => event.type === 'report')
  expect(report).toMatchObject({ step: 5 })
  expect(report!.learningRate).toBeGreaterThan(0.001)
  const metrics = (await readFile(join(base.out, 'trainer', 'metrics.jsonl'), 'utf8')).trim().split('\n')
  expect(metrics.map((line) => JSON.parse(line)).flatMap(({ step, loss }) => (loss ? [step] : []))).toEqual([1, 2, 3, 4, 5])
})

it('resuming a run that is complete gives its result again', async () => {
  const { result } = await collect({ ...base, steps: 4 })
  const { result: again } = await collect({ ...base, steps: 4, resume: true })
  expect(again).toMatchObject({ step: 4, stopped: false, loss: result.loss })
})

it('does without samples where the context has no room for one', async () => {
  const { events, result } = await collect({ ...base, sequence: 8, sampleEvery: 1, steps: 3 })
  expect(result.step).toBe(3)
  expect(events.some((event) => event.type === 'sample')).toBe(false)
})

it('stopped before it begins, it has nothing to keep', async () => {
  const stopping = new AbortController()
  stopping.abort()
  expect(await train({ ...base, signal: stopping.signal })).toMatchObject({ stopped: true, step: 0 })
})
