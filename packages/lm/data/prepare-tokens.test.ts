import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { type Tokenizer, trainBpe } from '../tokenizer/index.js'
import { smallTokenizer, story, TemporaryFolder } from './data.test.support.js'
import { type PreparedTokens, type PrepareTokensOptions, prepareTokens } from './prepare-tokens.js'
import { TokenDataset } from './token-dataset.js'

let tokenizer: Tokenizer
beforeAll(async () => {
  tokenizer = await smallTokenizer()
})

/** All tokens of a part: the inputs of windows of one token, and the last target. */
async function tokensOf(folder: string, split: 'train' | 'validation' = 'train'): Promise<number[]> {
  using dataset = await TokenDataset.open(folder)
  const count = dataset[split]!.tokens
  const windows = dataset.windows({ batchSize: 1, sequenceLength: count - 1, split })
  const inputs = new Int32Array(count - 1)
  const targets = new Int32Array(count - 1)
  windows.nextInto(inputs, targets)
  return [...inputs, targets.at(-1)! < 0 ? 0 : targets.at(-1)!]
}

/** Prepares and closes. */
async function prepare(options: PrepareTokensOptions): Promise<PreparedTokens> {
  const prepared = await prepareTokens(options)
  prepared.dataset.close()
  return prepared
}

describe('preparing tokens', () => {
  test('joins documents with end-of-text tokens, before, between and after', async () => {
    using folder = new TemporaryFolder()
    const file = folder.write('a.txt', 'the fox\n<|endoftext|>\nthe dog\n<|endoftext|>\n')
    const chat = folder.write('b.jsonl', '{"messages":[{"role":"user","content":"the <|im_end|>"}]}\n')
    const { reused, warnings } = await prepare({ files: [file, chat], tokenizer, folder: folder.at('tokens') })
    expect(reused).toBe(false)
    expect(warnings).toEqual([expect.stringMatching(/has 5 lines: need 1000\+ lines minimum/)])
    const encode = (text: string) => tokenizer.encode(text)
    const expected = [
      0,
      ...encode('the fox\n'),
      0,
      ...encode('the dog\n'),
      0,
      1,
      ...encode('user\nthe <|im_end|>'),
      2,
      ...encode('\n'),
      0,
    ]
    expect(await tokensOf(folder.at('tokens'))).toEqual(expected)
    using dataset = await TokenDataset.open(folder.at('tokens'))
    expect(dataset).toMatchObject({ documents: 3, validation: null, vocabSize: tokenizer.vocabSize })
    expect(dataset.train).toEqual({ tokens: expected.length, bytes: 8 + 8 + 20, learned: expected.length })
  })

  test('a thousand lines are no warning', async () => {
    using folder = new TemporaryFolder()
    const { warnings } = await prepare({
      files: [folder.write('a.txt', 'the fox\n'.repeat(1000))],
      tokenizer,
      folder: folder.at('t'),
    })
    expect(warnings).toEqual([])
  })

  test('tokens in many files are the same as in one', async () => {
    using folder = new TemporaryFolder()
    const file = folder.write('a.txt', story(300))
    await prepare({ files: [file], tokenizer, folder: folder.at('one') })
    await prepare({ files: [file], tokenizer, folder: folder.at('many'), shardTokens: 1000 })
    expect(readdirSync(folder.at('many')).length).toBeGreaterThan(5)
    expect(await tokensOf(folder.at('many'))).toEqual(await tokensOf(folder.at('one')))
  })

  test('large vocabularies take four bytes a token', async () => {
    using folder = new TemporaryFolder()
    const file = folder.write('a.txt', 'x')
    const specialTokens = ['<|endoftext|>', ...Array.from({ length: 65_300 }, (_, i) => `<${i}>`)]
    const large = (await trainBpe({ texts: ['ab'], vocabSize: 65_557, specialTokens })).tokenizer
    await prepare({ files: [file], tokenizer: large, folder: folder.at('tokens') })
    const shard = readdirSync(folder.at('tokens')).find((name) => name.endsWith('.bin'))!
    expect(statSync(folder.at(`tokens/${shard}`)).size).toBe(3 * 4)
    expect(await tokensOf(folder.at('tokens'))).toEqual([0, large.encode('x')[0], 0])
  })

  test('the same content is not prepared twice, anything else is', async () => {
    using folder = new TemporaryFolder()
    const file = folder.write('a.txt', story(20))
    const run = async (more: object = {}) =>
      (await prepare({ files: [file], tokenizer, folder: folder.at('tokens'), ...more })).reused
    expect(await run()).toBe(false)
    expect(await run()).toBe(true)
    writeFileSync(file, story(20))
    expect(await run()).toBe(true)
    writeFileSync(file, story(21))
    expect(await run()).toBe(false)
    const other = (await trainBpe({ texts: [story(5)], vocabSize: 290 })).tokenizer
    expect(await run({ tokenizer: other })).toBe(false)
    expect(await run({ tokenizer: other, validation: 0.2 })).toBe(false)
    expect(await run({ tokenizer: other, validation: 0.2 })).toBe(true)
    expect(await run({ tokenizer: other, validation: folder.write('v.txt', 'the dog') })).toBe(false)
    // Only the last ones are left.
    expect(readdirSync(folder.at('tokens')).length).toBe(2)
  })

  test('a shortened file is noticed, and prepared anew', async () => {
    using folder = new TemporaryFolder()
    const run = () => prepare({ files: [folder.at('a.txt')], tokenizer, folder: folder.at('tokens') })
    folder.write('a.txt', story(20))
    await run()
    const whole = await tokensOf(folder.at('tokens'))
    const shard = folder.at(`tokens/${readdirSync(folder.at('tokens')).find((name) => name.endsWith('.bin'))}`)
    truncateSync(shard, 100)
    await expect(TokenDataset.open(folder.at('tokens'))).rejects.toMatchObject({
      code: 'FILE_TRUNCATED',
      message: /has 100 bytes, not/,
    })
    expect((await run()).reused).toBe(false)
    expect(await tokensOf(folder.at('tokens'))).toEqual(whole)
  })

  test('a flipped bit is noticed, and prepared anew', async () => {
    using folder = new TemporaryFolder()
    const run = () => prepare({ files: [folder.at('a.txt')], tokenizer, folder: folder.at('tokens') })
    folder.write('a.txt', story(20))
    await run()
    const shard = folder.at(`tokens/${readdirSync(folder.at('tokens')).find((name) => name.endsWith('.bin'))}`)
    const bytes = readFileSync(shard)
    bytes[50]! ^= 4
    writeFileSync(shard, bytes)
    using dataset = await TokenDataset.open(folder.at('tokens'))
    await expect(dataset.verify()).rejects.toMatchObject({ code: 'HASH_MISMATCH' })
    expect((await run()).reused).toBe(false)
  })

  test('a damaged index is an error when opened', async () => {
    using folder = new TemporaryFolder()
    await prepare({ files: [folder.write('a.txt', story(5))], tokenizer, folder: folder.at('tokens') })
    const index = JSON.parse(readFileSync(folder.at('tokens/tokens.json'), 'utf8')) as { shards: { file: string }[] }
    for (const damaged of ['{', '[]', JSON.stringify({ ...index, shards: [{ ...index.shards[0], file: '../a.bin' }] })]) {
      folder.write('tokens/tokens.json', damaged)
      await expect(TokenDataset.open(folder.at('tokens'))).rejects.toMatchObject({ code: 'FILE_CORRUPT' })
    }
    await expect(TokenDataset.open(folder.at('none'))).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' })
  })

  test('an aborted run leaves nothing but what was there', async () => {
    using folder = new TemporaryFolder()
    const file = folder.write('a.txt', story(20))
    await prepare({ files: [file], tokenizer, folder: folder.at('tokens') })
    const before = readdirSync(folder.at('tokens'))
    folder.write('a.txt', story(60_000))
    const control = new AbortController()
    const run = prepare({
      files: [file],
      tokenizer,
      folder: folder.at('tokens'),
      shardTokens: 50_000,
      signal: control.signal,
      onProgress: ({ bytes, total }) => bytes > total / 2 && control.abort(),
    })
    await expect(run).rejects.toThrow('aborted')
    using dataset = await TokenDataset.open(folder.at('tokens'))
    expect(dataset.documents).toBe(1)
    expect(readdirSync(folder.at('tokens')).filter((name) => name.endsWith('.tmp'))).toEqual([])
    expect(readdirSync(folder.at('tokens'))).toEqual(expect.arrayContaining(before))
  })

  test('files without text, and impossible shares, are errors', async () => {
    using folder = new TemporaryFolder()
    const run = (content: string, validation?: number) =>
      prepare({
        files: [folder.write('a.txt', content)],
        tokenizer,
        folder: folder.at('tokens'),
        ...(validation !== undefined && { validation }),
      })
    await expect(run(' \n\n')).rejects.toMatchObject({ code: 'DATA_EMPTY', message: /a\.txt/ })
    await expect(run('<|endoftext|>\n')).rejects.toMatchObject({ code: 'DATA_EMPTY', message: /a\.txt/ })
    await expect(run('x', 1)).rejects.toMatchObject({ code: 'INVALID_CONFIG' })
    await expect(run('x', Number.NaN)).rejects.toMatchObject({ code: 'INVALID_CONFIG' })
  })

  test('a conversation needs a tokenizer with chat tokens', async () => {
    using folder = new TemporaryFolder()
    const plain = (await trainBpe({ texts: ['abc'], vocabSize: 257, specialTokens: ['<|endoftext|>'] })).tokenizer
    const file = folder.write('a.jsonl', '{"messages":[{"role":"user","content":"x"}]}')
    await expect(prepare({ files: [file], tokenizer: plain, folder: folder.at('t') })).rejects.toMatchObject({
      code: 'TOKENIZER_INVALID',
      message: /<\|im_start\|>/,
    })
  })
})

describe('validation', () => {
  test('a file is held out, also from a folder that holds it', async () => {
    using folder = new TemporaryFolder()
    folder.write('data/train.txt', 'the fox')
    const valid = folder.write('data/valid.txt', 'the dog')
    await prepare({ files: [folder.at('data')], tokenizer, folder: folder.at('tokens'), validation: valid })
    expect(await tokensOf(folder.at('tokens'))).toEqual([0, ...tokenizer.encode('the fox'), 0])
    expect(await tokensOf(folder.at('tokens'), 'validation')).toEqual([0, ...tokenizer.encode('the dog'), 0])
  })

  test('a share is held out at the end, from the beginning of a document on', async () => {
    using folder = new TemporaryFolder()
    const documents = Array.from({ length: 50 }, (_, i) => story(4, `tale ${i}`))
    const file = folder.write('a.txt', documents.join('<|endoftext|>\n'))
    await prepare({ files: [file], tokenizer, folder: folder.at('tokens'), validation: 0.1, shardTokens: 999 })
    const [train, held] = [await tokensOf(folder.at('tokens')), await tokensOf(folder.at('tokens'), 'validation')]
    expect(held.length / (train.length + held.length)).toBeGreaterThan(0.05)
    expect(held.length / (train.length + held.length)).toBeLessThan(0.11)
    const text = tokenizer.decode(held, { skipSpecial: true })
    expect(text.startsWith('tale 4')).toBe(true)
    expect(tokenizer.decode(train, { skipSpecial: true }) + text).toBe(documents.join(''))
    expect([held[0], train.at(-1)]).toEqual([0, 0])
    using dataset = await TokenDataset.open(folder.at('tokens'))
    expect(dataset.train.bytes).toBe(Buffer.byteLength(documents.join('')) - Buffer.byteLength(text))
    expect(dataset.validation?.bytes).toBe(Buffer.byteLength(text))
  })

  test('a share of one long text is cut where it falls', async () => {
    using folder = new TemporaryFolder()
    const file = folder.write('a.txt', story(200))
    await prepare({ files: [file], tokenizer, folder: folder.at('tokens'), validation: 0.1 })
    using dataset = await TokenDataset.open(folder.at('tokens'))
    const held = dataset.validation!.tokens
    expect(held / (dataset.train.tokens + held)).toBeCloseTo(0.1, 2)
  })
})
