import { stat } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Place } from './enigma.test.fixture.js'

let place: Place
beforeAll(async () => {
  place = await Place.make()
})
afterAll(() => place[Symbol.asyncDispose]())

const greedy = ['--max-tokens', '6', '--temperature', '0', 'Once upon a time']

describe('models export and import', () => {
  it('make a GGUF file of the model that ships, and of that a model that says the same', async () => {
    const written = await place.json<{ file: string; type: string; bytes: number; sha256: string }>([
      ...['models', 'export', 'storyteller', '--format', 'gguf', '--out', 'teller.gguf'],
    ])
    expect(written).toMatchObject({
      file: place.path('teller.gguf'),
      type: 'f16',
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
    expect((await stat(written.file)).size).toBe(written.bytes)

    const imported = await place.json<{ name: string; folder: string }>(['models', 'import', 'teller.gguf'])
    expect(imported).toEqual({
      name: 'teller',
      folder: place.path('home', 'models', 'teller'),
      format: 'gguf',
      parameters: 5_475_584,
    })
    const texts = await Promise.all(
      ['storyteller', 'teller'].map((name) => place.json<{ text: string }>(['run', '--model', name, ...greedy])),
    )
    expect(texts[1]!.text).toBe(texts[0]!.text)

    const again = await place.run(['models', 'import', 'teller.gguf'])
    expect([again.code, again.stderr]).toEqual([1, expect.stringMatching(/already holds a model. Replace it with --force/)])
  }, 60_000)

  it('quantize makes a smaller model, which run, eval and ls take like any other', async () => {
    const written = await place.json<{ folder: string; bytes: { before: number; after: number } }>([
      ...['models', 'quantize', 'storyteller', '--bits', '4'],
    ])
    expect(written).toMatchObject({
      folder: place.path('home', 'models', 'storyteller-int4'),
      quantization: 'int4',
      groupSize: 32,
      parameters: 5_475_584,
    })
    expect(written.bytes.after).toBeLessThan(written.bytes.before / 5)
    const listed = await place.json<{ name: string }[]>(['models', 'ls'])
    expect(listed.find(({ name }) => name === 'storyteller-int4')).toMatchObject({ dtype: 'int4', parameters: 5_475_584 })
    const texts = await Promise.all(
      [['storyteller-int4'], ['storyteller', '--quantization', 'int4']].map((model) =>
        place.json<{ text: string }>(['run', '--model', ...model, ...greedy]),
      ),
    )
    expect(texts[1]!.text).toBe(texts[0]!.text)

    const again = await place.run(['models', 'quantize', 'storyteller-int4', '--bits', '8'])
    expect([again.code, again.stderr]).toEqual([1, expect.stringMatching(/'storyteller-int4' is quantized/)])
  }, 60_000)

  it('say what is wrong in one line', async () => {
    const type = await place.run(['models', 'export', 'storyteller', '--format', 'safetensors', '--type', 'q4_0'])
    expect([type.code, type.stderr]).toEqual([2, 'error: A safetensors file holds weights as f32, f16, bf16, not as "q4_0"\n'])
    await place.write('page.gguf', '<html>')
    const page = await place.run(['models', 'import', 'page.gguf'])
    expect([page.code, page.stderr]).toEqual([
      1,
      expect.stringMatching(/page.gguf is not a sound GGUF file: it does not start with GGUF/),
    ])
    const name = await place.run(['models', 'import', 'page.gguf', '--name', '../x'])
    expect([name.code, name.stderr]).toEqual([2, expect.stringMatching(/'..\/x' cannot be a model's name/)])
  }, 60_000)
})
