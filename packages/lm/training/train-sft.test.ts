import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { evaluate } from '../evaluation/evaluate.js'
import { TextGenerator } from '../generation/text-generator.js'
import { LanguageModel } from '../language-model.js'
import { sampleDialogues } from '../testing/dialogues.js'
import { collect, RunFolder } from '../testing/run-folder.js'
import { train } from './train.js'
import type { TrainOptions } from './train-options.js'

let folder: RunFolder
let talk: TrainOptions
beforeEach(() => {
  folder = new RunFolder()
  talk = {
    ...folder.base,
    data: [folder.write('talk.jsonl', sampleDialogues(300))],
    sequence: 64,
    steps: 60,
    learningRate: 5e-3,
    reportEvery: 20,
    validateEvery: 30,
    checkpointEvery: 20,
  }
})
afterEach(() => folder[Symbol.dispose]())

describe('training on conversations', () => {
  it('is inferred, said, and makes a model that answers in turns and knows nothing of the questions', async () => {
    const { events, result } = await collect({ ...talk, steps: 120, validateEvery: 60 })
    const said = events.flatMap((event) => (event.type === 'phase' ? [event.message] : [])).join('\n')
    expect(said).toMatch(/hold conversations: of these only the answers are learned \(--no-sft/)
    expect(result.bitsPerByte!).toBeLessThan(1)
    const model = await LanguageModel.load(talk.out)
    const turnEnd = model.tokenizer.tokenToId('<|im_end|>')
    expect(model.config.eosIds).toEqual([0, turnEnd])
    const generator = await TextGenerator.create(model, { spin: false, threads: 1 })
    const { prompt } = generator.chatPrompt([{ role: 'user', content: 'What did the fox see?' }], 16)
    const { text, finishReason } = await generator.complete(prompt, { temperature: 0, maxTokens: 32 })
    expect({ text, finishReason }).toEqual({ text: 'The fox saw the ring.', finishReason: 'stop' })
    generator.close()
    const measured = async (out: string, answersOnly: boolean) =>
      (await evaluate(out, { data: talk.data, answersOnly, threads: 1, spin: false })).bitsPerByte
    expect(await measured(talk.out, true)).toBeLessThan(1)
    await collect({ ...talk, steps: 20, sft: false, out: folder.at('every-word') })
    expect(await measured(folder.at('every-word'), false)).toBeLessThan(await measured(talk.out, false))
    const files = JSON.parse(await readFile(join(talk.out, 'tokenizer_config.json'), 'utf8')) as { chat_template: string }
    expect(files.chat_template).toContain('<|im_start|>')
  })

  it('resumes to the same bytes', async () => {
    const short = { ...talk, steps: 12, reportEvery: 1, validateEvery: 6, checkpointEvery: 4 }
    await collect({ ...short, out: folder.at('uninterrupted') })
    const stopping = new AbortController()
    await train({ ...short, signal: stopping.signal }, (event) => {
      if (event.type === 'report' && event.step === 7) stopping.abort()
    })
    await collect({ ...short, resume: true })
    expect(await folder.sameWeights(short.out, folder.at('uninterrupted'))).toBe(true)
    await expect(train({ ...short, resume: true, sft: false })).rejects.toThrow(/This run has sft true/)
  })
})

describe('training an adapter', () => {
  let bases: RunFolder
  let base: string
  let lora: TrainOptions
  beforeAll(async () => {
    bases = new RunFolder()
    base = bases.at('base')
    await collect({ ...bases.base, out: base, steps: 20, sequence: 64, learningRate: 3e-3 })
  })
  afterAll(() => bases[Symbol.dispose]())
  beforeEach(() => {
    const { size: _, vocabSize: __, ...rest } = talk
    lora = { ...rest, from: base, lora: 'r=4,targets=all', steps: 12, checkpointEvery: 4, reportEvery: 1, validateEvery: 6 }
  })

  it('lowers the loss, and the adapter alone gives with its base what the merged model gives', async () => {
    const { events, result } = await collect({ ...lora, steps: 40, validateEvery: 20, learningRate: 1e-2 })
    const validations = events.filter((event) => event.type === 'validation')
    const before = await evaluate(base, { data: talk.data, answersOnly: true, threads: 1, spin: false })
    expect(result.bitsPerByte!).toBeLessThan(before.bitsPerByte * 0.9)
    expect(validations.at(-1)!.loss).toBeLessThan(validations[0]!.loss)
    const merged = await LanguageModel.load(lora.out)
    const adapted = await LanguageModel.load(join(lora.out, 'adapter'))
    expect(adapted.config.eosIds).toEqual(merged.config.eosIds)
    for (const [name, { data }] of Object.entries(merged.weights))
      expect(Buffer.from(adapted.weights[name]!.data.buffer).equals(Buffer.from(data.buffer)), name).toBe(true)
    const untouched = await LanguageModel.load(base)
    expect(merged.weights['model.embed_tokens.weight']!.data).toEqual(untouched.weights['model.embed_tokens.weight']!.data)
  })

  it('resumes to the same bytes, from checkpoints that hold the adapter alone', async () => {
    const settings = { ...lora, lora: { rank: 4, dropout: 0.1 } }
    await collect({ ...settings, out: folder.at('uninterrupted') })
    const stopping = new AbortController()
    await train({ ...settings, signal: stopping.signal }, (event) => {
      if (event.type === 'report' && event.step === 5) stopping.abort()
    })
    await expect(train({ ...settings, resume: true, lora: 'r=2' })).rejects.toThrow(/This run has lora \{"rank":4/)
    await collect({ ...settings, resume: true })
    expect(await folder.sameWeights(lora.out, folder.at('uninterrupted'))).toBe(true)
    const checkpoint = await readFile(join(lora.out, 'trainer', 'checkpoint-12', 'weights.safetensors'))
    expect(checkpoint.length).toBeLessThan((await readFile(join(lora.out, 'model.safetensors'))).length / 20)
  })

  it('refuses to go on over another base, and to begin without one', async () => {
    const stopping = new AbortController()
    await train({ ...lora, signal: stopping.signal }, (event) => {
      if (event.type === 'report' && event.step === 5) stopping.abort()
    })
    await collect({ ...bases.base, out: base, steps: 1, sequence: 64, force: true })
    await expect(train({ ...lora, resume: true })).rejects.toMatchObject({
      code: 'HASH_MISMATCH',
      message: /not the one this run began/,
    })
    const { from: _, ...alone } = lora
    await expect(train({ ...alone, out: folder.at('other') })).rejects.toThrow(/LoRA adapts a model that is there.*--from/)
  })
})
