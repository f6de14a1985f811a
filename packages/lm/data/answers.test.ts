import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { ChatTemplate, chatMl } from '../chat/chat-template.js'
import { Tokenizer, trainBpe } from '../tokenizer/index.js'
import { runs } from '../tokenizer/text.test.support.js'
import { smallTokenizer, TemporaryFolder } from './data.test.support.js'
import { packed } from './epoch-windows.js'
import { type PrepareTokensOptions, prepareTokens } from './prepare-tokens.js'

let tokenizer: Tokenizer
beforeAll(async () => {
  tokenizer = await smallTokenizer()
})

const line = (...turns: string[]) =>
  `${JSON.stringify({ messages: turns.map((content, index) => ({ role: index % 2 ? 'assistant' : 'user', content })) })}\n`

async function prepared(folder: TemporaryFolder, content: string, options: Partial<PrepareTokensOptions> = {}) {
  const files = [folder.write('talk.jsonl', content)]
  return (await prepareTokens({ files, tokenizer, folder: folder.at('tokens'), answersOnly: true, ...options })).dataset
}

/** What the targets of a window say, and what its inputs say, padding left out. */
function told({ inputs, targets }: { inputs: Int32Array; targets: Int32Array }) {
  const learned = [...targets].filter((id) => id !== -100)
  return { learned: tokenizer.decode(learned), read: tokenizer.decode(inputs).replace(/(<\|endoftext\|>)+$/, '') }
}

describe('conversations of which only answers are learned', () => {
  test('give targets for what the assistant says, and the rest as context', async () => {
    using folder = new TemporaryFolder()
    using dataset = await prepared(folder, line('the quick fox', 'jumps over', 'the lazy dog', 'sleeps'))
    const { learned, read } = told(dataset.batches({ batchSize: 1, sequenceLength: 64 }).next())
    expect(learned).toBe('jumps over<|im_end|>sleeps<|im_end|><|endoftext|>')
    expect(read).toBe(
      '<|endoftext|><|im_start|>user\nthe quick fox<|im_end|>\n<|im_start|>assistant\njumps over<|im_end|>\n<|im_start|>user\nthe lazy dog<|im_end|>\n<|im_start|>assistant\nsleeps<|im_end|>\n',
    )
    expect(dataset.train).toMatchObject({ bytes: 'jumps over'.length + 'sleeps'.length })
  })

  test('stay whole: a window holds as many as fit, and each comes once an epoch', async () => {
    using folder = new TemporaryFolder()
    const talks = Array.from({ length: 30 }, (_, i) => line(`fox ${i}`, `dog ${i * 7}`))
    using dataset = await prepared(folder, talks.join(''))
    const batches = dataset.batches({ batchSize: 1, sequenceLength: 80, seed: 5 })
    const answers = Array.from({ length: batches.windowsPerEpoch }, () => told(batches.next()))
    const said = answers.flatMap(({ learned }) => learned.match(/dog \d+(?=<\|im_end)/g) ?? [])
    expect(said.toSorted()).toEqual(talks.map((_, i) => `dog ${i * 7}`).toSorted())
    for (const { read } of answers) expect(read).toMatch(/^<\|endoftext\|><\|im_start\|>user/)
    expect(batches.windowsPerEpoch).toBeLessThan(20)
    expect(said).not.toEqual(talks.map((_, i) => `dog ${i * 7}`))
  })

  test('go on from a cursor with the same batches, into the next epoch too', async () => {
    using folder = new TemporaryFolder()
    using dataset = await prepared(folder, Array.from({ length: 20 }, (_, i) => line(`fox ${i}`, `dog ${i}`)).join(''))
    const options = { batchSize: 2, sequenceLength: 64, seed: 3 }
    const whole = dataset.batches(options)
    for (let step = 0; step < 12; step++) {
      const again = dataset.batches({ ...options, cursor: whole.cursor })
      expect(again.next()).toEqual(whole.next())
    }
    expect(whole.cursor.epoch).toBeGreaterThan(1)
  })

  test('may come with text, which is learned as ever, cut into windows', async () => {
    using folder = new TemporaryFolder()
    const story = 'the quick brown fox jumps over the lazy dog. '.repeat(20)
    using dataset = await prepared(folder, `${JSON.stringify({ text: story })}\n${line('fox', 'dog')}`)
    const batches = dataset.batches({ batchSize: 1, sequenceLength: 50 })
    const learned = Array.from({ length: batches.windowsPerEpoch }, () => told(batches.next()).learned)
    expect(learned.join('').replace(/dog<\|im_end\|>|<\|endoftext\|>/g, '').length).toBe(story.length)
  })

  test('are validated by their answers alone', async () => {
    using folder = new TemporaryFolder()
    const validation = folder.write('held.jsonl', line('the quick fox', 'jumps') + line('who', 'the lazy dog'))
    using dataset = await prepared(folder, line('a', 'b').repeat(40), { validation })
    const windows = dataset.windows({ batchSize: 1, sequenceLength: 64 })
    const [inputs, targets] = [new Int32Array(64), new Int32Array(64)]
    const counted = windows.nextInto(inputs, targets)
    expect(counted).toMatchObject({ bytes: 'jumps'.length + 'the lazy dog'.length, windows: 1 })
    expect(told({ inputs, targets }).learned).toBe('jumpsthe lazy dog')
    expect(windows.nextInto(inputs, targets)).toBeUndefined()
  })

  test('split by share between conversations', async () => {
    using folder = new TemporaryFolder()
    using dataset = await prepared(folder, Array.from({ length: 50 }, (_, i) => line(`fox ${i}`, 'dog')).join(''), {
      validation: 0.2,
    })
    const held = dataset.validation!
    expect(held.bytes % 'dog'.length).toBe(0)
    expect(held.bytes + dataset.train.bytes).toBe(50 * 'dog'.length)
    expect(held.bytes).toBeGreaterThan(8 * 'dog'.length)
  })

  test('stay whole, too, where the token that ends a text ends every turn', async () => {
    using folder = new TemporaryFolder()
    const chatty = Tokenizer.fromJson(tokenizer.toJson(), { eosToken: '<|im_end|>' })
    expect(chatty.eosId).toBe(2)
    const template = new ChatTemplate(chatMl, chatty)
    using dataset = await prepared(folder, line('one', 'two', 'three', 'four'), { tokenizer: chatty, template })
    const { learned, read } = told(dataset.batches({ batchSize: 1, sequenceLength: 64 }).next())
    expect(learned).toBe('two<|im_end|>four<|im_end|><|endoftext|>')
    expect(read).toMatch(/^<\|endoftext\|>.*one.*two.*three.*four/s)
  })

  test('need answers', async () => {
    using folder = new TemporaryFolder()
    await expect(prepared(folder, line('only a question'))).rejects.toMatchObject({ code: 'DATA_EMPTY', message: /No answers/ })
  })

  test('need the tokens of turns', async () => {
    using folder = new TemporaryFolder()
    const plain = (await trainBpe({ texts: ['abc'], vocabSize: 257, specialTokens: ['<|endoftext|>'] })).tokenizer
    await expect(prepared(folder, line('a', 'b'), { tokenizer: plain })).rejects.toThrow(/<\|im_start\|>/)
  })
})

describe('packing', () => {
  test('puts every segment into one window, none over its size, and wastes little', () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 64 }), { minLength: 1, maxLength: 200 })
    fc.assert(
      fc.property(lengths, (given) => {
        const windows = packed(given, 64)
        const places = windows.flat()
        expect(places.toSorted((a, b) => a - b)).toEqual(given.map((_, place) => place))
        const filled = windows.map((window) => window.reduce((sum, place) => sum + given[place]!, 0))
        expect(Math.max(...filled)).toBeLessThanOrEqual(64)
        const total = given.reduce((sum, length) => sum + length, 0)
        expect(windows.length).toBeLessThanOrEqual(2 * Math.ceil(total / 64) + 1)
      }),
      runs(200),
    )
  })
})
