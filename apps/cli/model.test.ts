import { copyFile, mkdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Outcome, Place, sampleText, tiny } from './enigma.test.fixture.js'

interface Answer {
  readonly text: string
  readonly tokens: number
  readonly tokensPerSecond: number
  readonly finishReason: string
  readonly model: string
}

let place: Place
let training: Outcome
const train = (...more: string[]) => ['train', '--data', 'text.txt', ...tiny, ...more]

beforeAll(async () => {
  place = await Place.make()
  await place.write('text.txt', sampleText(1200))
  training = await place.run(train('--steps', '60', '--out', 'story', '--report-every', '20', '--json'))
})
afterAll(() => place[Symbol.asyncDispose]())

describe('train', () => {
  it('prints one object a line with --json, and the loss falls', () => {
    expect(training.stderr).not.toMatch(/^error/m)
    expect(training.code).toBe(0)
    const reports = training.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, number>)
    expect(reports.map(({ step }) => step)).toEqual([1, 20, 40, 60])
    for (const report of reports) {
      expect(Object.keys(report)).toEqual(['step', 'loss', 'bitsPerByte', 'learningRate', 'tokensPerSecond'])
      for (const value of Object.values(report)) expect(Number.isFinite(value)).toBe(true)
    }
    expect(reports.at(-1)!.loss).toBeLessThan(reports[0]!.loss!)
  })

  it('with --find-lr tries rates, suggests one, and leaves nothing behind', async () => {
    const { code, stdout, stderr } = await place.run(train('--find-lr', '--out', 'nothing', '--json'))
    expect(stderr).not.toMatch(/^error/m)
    expect(code).toBe(0)
    const { points, suggestion } = JSON.parse(stdout) as { points: { learningRate: number }[]; suggestion: number }
    expect(points.length).toBeGreaterThan(20)
    expect(suggestion).toBeGreaterThan(points[0]!.learningRate)
    await expect(readFile(place.path('nothing', 'config.json'))).rejects.toThrow(/ENOENT/)
  })

  it('takes its options from a file, flags first', async () => {
    await place.write(
      'options.yaml',
      'data: text.txt\nsize: nano\nsteps: 40\nvocab-size: 400\nsequence: 32\nbatch: 4\nthreads: 1\nreportEvery: 2\n',
    )
    const { code, stdout, stderr } = await place.run([
      'train',
      '--config',
      'options.yaml',
      '--steps',
      '4',
      '--out',
      'from-file',
      '--json',
    ])
    expect(stderr).not.toMatch(/^error/m)
    expect(code).toBe(0)
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).step),
    ).toEqual([1, 2, 4])
  })

  it('refuses a folder that holds a model already', async () => {
    const { code, stderr } = await place.run(train('--steps', '2', '--out', 'story'))
    expect(code).toBe(1)
    expect(stderr).toMatch(/^error: .*story.*--resume.*--force.*\n$/)
  })

  it('warns of little text', async () => {
    await place.write('short.txt', sampleText(10))
    const { stderr } = await place.run([
      'train',
      '--data',
      'short.txt',
      '--size',
      'nano',
      '--vocab-size',
      '300',
      '--sequence',
      '16',
      '--batch',
      '1',
      '--threads',
      '1',
      '--steps',
      '1',
      '--out',
      'short',
      '--json',
    ])
    expect(stderr).toMatch(/^warning: .*10 lines/m)
  })

  it.each([
    ['an unknown size, with the nearest', ['--data', 'text.txt', '--size', 'tinny'], 2, /Unknown preset: tinny.*'tiny'/],
    ['a missing file', ['--data', 'no.txt'], 1, /no\.txt/],
    ['an empty file', ['--data', 'empty.txt'], 1, /empty\.txt/],
    ['steps and epochs together', ['--data', 'text.txt', '--steps', '1', '--epochs', '1'], 2, /steps or epochs/],
  ])('refuses %s in one line', async (_, args, expected, message) => {
    await place.write('empty.txt', '')
    const { code, stdout, stderr } = await place.run(['train', ...args, '--out', 'refused', '--json'])
    expect(stderr).toMatch(message)
    expect(
      stderr
        .trim()
        .split('\n')
        .filter((line) => line.startsWith('error: ')),
    ).toHaveLength(1)
    expect(stdout).toBe('')
    expect(code).toBe(expected)
  })
})

describe('run', () => {
  it('gives the same answer twice at temperature 0, and without a cache', async () => {
    const args = ['run', 'The king', '--model', 'story', '--max-tokens', '12', '--temperature', '0']
    const first = await place.json<Answer>(args)
    expect(Object.keys(first)).toEqual(['text', 'tokens', 'tokensPerSecond', 'finishReason', 'model'])
    expect(first).toMatchObject({ tokens: 12, finishReason: 'length', model: 'story' })
    expect(first.tokensPerSecond).toBeGreaterThan(0)
    expect((await place.json<Answer>(args)).text).toBe(first.text)
    expect((await place.json<Answer>([...args, '--no-cache'])).text).toBe(first.text)
  })

  it('streams the new text only, and reads the prompt from stdin', async () => {
    const args = ['--model', 'story', '--max-tokens', '8', '--temperature', '0']
    const given = await place.run(['run', 'The king', ...args])
    expect(given).toMatchObject({ code: 0, stderr: '' })
    expect(given.stdout).not.toContain('The king')
    expect((await place.run(['run', ...args], { stdin: 'The king\n' })).stdout).toBe(given.stdout)
  })

  it('ends before a stop text', async () => {
    const full = await place.json<Answer>(['run', 'The', '-m', 'story', '-n', '20', '-t', '0'])
    const word = full.text.trim().split(/\s+/)[2]!
    const cut = await place.json<Answer>(['run', 'The', '-m', 'story', '-n', '20', '-t', '0', '--stop', word])
    expect(cut.finishReason).toBe('stop')
    expect(full.text.startsWith(cut.text)).toBe(true)
    expect(cut.text).not.toContain(word)
  })

  it('says what to do when there is no such model, or none of the size', async () => {
    expect(await place.run(['run', 'x', '--model', 'nobody'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^error: .*nobody/),
    })
    expect(await place.run(['run', 'x', '--size', 'xl'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('enigma train --size xl'),
    })
  })

  it.each([
    ['truncated', (file: string) => truncate(file, 1000)],
    [
      'bit-flipped',
      async (file: string) => {
        const bytes = await readFile(file)
        bytes[bytes.length - 100]! ^= 4
        await writeFile(file, bytes)
      },
    ],
  ])('names a %s file of weights', async (kind, damage) => {
    await mkdir(place.path(kind))
    for (const file of ['config.json', 'tokenizer.json', 'model.safetensors', 'enigma.json']) {
      await copyFile(place.path('story', file), place.path(kind, file))
    }
    await damage(place.path(kind, 'model.safetensors'))
    const { code, stdout, stderr } = await place.run(['run', 'x', '--model', `./${kind}`])
    expect(stderr).toMatch(/^error: .*model\.safetensors.*\n$/)
    expect(stdout).toBe('')
    expect(code).toBe(1)
  })
})

describe('eval', () => {
  it('measures bits per byte', async () => {
    const found = await place.json<Record<string, number>>(['eval', 'story', '--data', 'text.txt'])
    expect(Object.keys(found)).toEqual(['bitsPerByte', 'loss', 'bytes', 'tokens'])
    expect(found.bitsPerByte).toBeGreaterThan(0)
    expect(found.bitsPerByte).toBeLessThan(8)
    expect(found.bytes).toBeGreaterThan(found.tokens!)
  })

  it('prints beside it what xz and a 5-gram model make of the same text, and not of answers alone', async () => {
    const { stdout } = await place.run(['eval', 'story', '--data', 'text.txt', '--ngram-train', 'text.txt'])
    expect(stdout).toMatch(
      /^\d\.\d{4} bits per byte .*\n(\d\.\d{4}|not measured): xz -9e.*\n\d\.\d{4}: 5-gram \(modified Kneser-Ney, of .*\)\n$/,
    )
    const refused = await place.run(['eval', 'story', '--data', 'text.txt', '--compare', '--answers'])
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringMatching(/not on answers only/)])
  })
})

describe('chat', () => {
  it('answers each line that is piped in', async () => {
    const { code, stdout, stderr } = await place.run(['chat', 'story', '-n', '6', '--json'], {
      stdin: 'The king\n\n/stats\nThe forest\nquit\nnever asked\n',
    })
    const answers = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Answer)
    expect(answers).toHaveLength(2)
    for (const { tokens, model } of answers) expect({ tokens, model }).toEqual({ tokens: expect.any(Number), model: 'story' })
    expect(stderr).toContain('1 answers')
    expect(code).toBe(0)
  })

  it('tells when the oldest messages no longer fit', async () => {
    const line = `${'the king went into dark forest to find golden bird '.repeat(2)}\n`
    const { code, stderr } = await place.run(['chat', 'story', '-n', '4'], { stdin: line.repeat(4) })
    expect(stderr).toMatch(/oldest \d+ messages/)
    expect(code).toBe(0)
  })
})

describe('models', () => {
  it('show describes a model, by name or folder', async () => {
    const shown = await place.json<{ parameters: number; config: { context: number } }>(['models', 'show', './story'])
    expect(shown.parameters).toBeGreaterThan(100_000)
    expect(shown.config.context).toBe(32)
  })

  it('ls lists them, the damaged ones with what is wrong', async () => {
    await mkdir(place.path('models', 'good'), { recursive: true })
    for (const file of ['config.json', 'tokenizer.json', 'model.safetensors', 'enigma.json']) {
      await copyFile(place.path('story', file), place.path('models', 'good', file))
    }
    await mkdir(place.path('models', 'bad'))
    await copyFile(place.path('story', 'enigma.json'), place.path('models', 'bad', 'enigma.json'))
    const list = await place.json<{ name: string; status: string }[]>(['models', 'ls'])
    expect(list).toContainEqual(expect.objectContaining({ name: 'good', status: 'ok', preset: 'nano' }))
    expect(list).toContainEqual(expect.objectContaining({ name: 'bad', status: 'broken' }))
  })
})

describe('tokenizer', () => {
  it('train, encode and decode give the text back', async () => {
    const made = await place.json<{ vocabSize: number }>([
      'tokenizer',
      'train',
      '--data',
      'text.txt',
      '--vocab-size',
      '350',
      '--out',
      'bpe.json',
    ])
    expect(made.vocabSize).toBeLessThanOrEqual(350)
    const text = 'The little kïng went 🦉'
    const { ids } = await place.json<{ ids: number[] }>(['tokenizer', 'encode', text, '--tokenizer', 'bpe.json'])
    expect(ids.length).toBeLessThan(Buffer.byteLength(text))
    const back = await place.run(['tokenizer', 'decode', '--tokenizer', './bpe.json'], { stdin: ids.join(' ') })
    expect(back.stdout).toBe(`${text}\n`)
    const model = await place.run(['tokenizer', 'encode', 'king', '--tokenizer', 'story'])
    expect(model.stdout).toMatch(/^\d+( \d+)*\n$/)
  })
})
