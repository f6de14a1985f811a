import { isIPv4 } from 'node:net'
import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { createConfig } from '../../config.js'
import { LanguageModel } from '../../language-model.js'
import { LlamaForCausalLM } from '../../model/llama.js'
import { sampleText } from '../../testing/sample-text.js'
import { type Tokenizer, trainBpe } from '../../tokenizer/index.js'
import { TextGenerator } from '../text-generator.js'
import { randomSchema } from './random-schema.test.support.js'

let tokenizer: Tokenizer
let generator: TextGenerator
beforeAll(async () => {
  const json = '{"name": "x", "tags": ["a", "b"], "id": 12, "next": null}\n'.repeat(40)
  tokenizer = (await trainBpe({ texts: [sampleText(200), json], vocabSize: 400 })).tokenizer
  const config = createConfig({ vocabSize: tokenizer.vocabSize, dim: 32, layers: 1, heads: 2, context: 512, eosIds: [0] })
  const weights = new LlamaForCausalLM(config, { seed: 1 }).stateDict()
  generator = await TextGenerator.create(LanguageModel.inMemory('tiny', config, weights, tokenizer), { spin: false, threads: 1 })
  return () => generator.close()
})

const isDate = (text: string) => {
  const day = new Date(`${text.slice(0, 10)}T00:00:00Z`)
  return !Number.isNaN(Date.parse(text)) && day.toISOString().startsWith(text.slice(0, 10))
}
const isTime = (text: string) => /^\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text) && isDate(`2000-01-01T${text}`)
const isHostname = (text: string) => text.split('.').every((label) => /^(?!-)[a-z\d-]{1,63}(?<!-)$/i.test(label))
const ajv = new Ajv2020({
  strict: false,
  formats: {
    date: (text: string) => text.length === 10 && isDate(text),
    time: isTime,
    'date-time': (text: string) => isDate(text) && isTime(text.slice(11)),
    uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i,
    ipv4: (text: string) => isIPv4(text),
    hostname: isHostname,
    uri: (text: string) => URL.canParse(text),
    email: (text: string) => /^[^@\s]+@[^@\s]+$/.test(text) && isHostname(text.split('@')[1]!),
  },
})
const generate = (schema: Record<string, unknown>, options: object = {}) =>
  generator.complete('Answer: ', {
    temperature: 1,
    topK: 0,
    topP: 1,
    maxTokens: 64,
    ...options,
    responseFormat: { type: 'json_schema', schema },
  })

it('an untrained model writes a valid value for every schema, however few tokens it has; where none fits, the error says how many it takes', async () => {
  let refused = 0
  await fc.assert(
    fc.asyncProperty(
      randomSchema,
      fc.integer({ min: 1, max: 70 }),
      fc.nat(),
      fc.constantFrom(0, 1, 3),
      async (schema, budget, seed, temperature) => {
        const valid = ajv.compile(schema)
        let maxTokens = budget
        const result = await generate(schema, { maxTokens, seed, temperature }).catch((error: Error) => {
          refused++
          maxTokens = Number(/takes (\d+) tokens; there is room for/.exec(error.message)?.[1])
          expect(maxTokens, error.message).toBeGreaterThan(budget)
          return generate(schema, { maxTokens, seed, temperature })
        })
        expect(result.tokens).toBeLessThanOrEqual(maxTokens)
        expect(result.finishReason).toBe('stop')
        const value: unknown = JSON.parse(result.text)
        expect(valid(value), `${result.text} ${JSON.stringify(valid.errors)}`).toBe(true)
      },
    ),
    { numRuns: process.env.ENIGMA_SOAK ? 4000 : 200 },
  )
  expect(refused).toBeGreaterThan(10)
}, 600_000)

describe('what a schema allows', () => {
  it('any object, when only JSON is asked for', async () => {
    for (const seed of [1, 2, 3]) {
      const { text } = await generator.complete('x', {
        temperature: 2,
        topK: 0,
        topP: 1,
        maxTokens: 40,
        seed,
        responseFormat: { type: 'json_object' },
      })
      expect(JSON.parse(text)).toBeTypeOf('object')
    }
  })

  it('the model still chooses: what it finds likeliest among what is allowed', async () => {
    const schema = { enum: ['cat', 'dog', 'owl'] }
    const texts = await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(async (seed) => (await generate(schema, { seed })).text))
    expect(new Set(texts).size).toBeGreaterThan(1)
  })

  it('the smallest budget that is not refused holds a whole value', async () => {
    const schema = { type: 'object', properties: { name: { type: 'string', minLength: 3 } }, required: ['name'] }
    const needed = await generate(schema, { maxTokens: 1 }).then(
      () => 0,
      (error: Error) => Number(/takes (\d+) tokens/.exec(error.message)![1]),
    )
    expect(needed).toBeGreaterThan(3)
    const { text, tokens } = await generate(schema, { maxTokens: needed })
    expect(JSON.parse(text).name.length).toBeGreaterThanOrEqual(3)
    expect(tokens).toBeLessThanOrEqual(needed)
  })
})

it('a long text needs no more tokens than the vocabulary has long ones', async () => {
  const schema = { type: 'string', minLength: 120 }
  const { text, tokens } = await generate(schema, { maxTokens: 60 })
  expect(JSON.parse(text).length).toBeGreaterThanOrEqual(120)
  expect(tokens).toBeLessThanOrEqual(60)
})

describe('what generation cannot follow is an error that names it', () => {
  it.each([
    [{ type: 'array', uniqueItems: true }, 'SCHEMA_UNSUPPORTED', /at #: 'uniqueItems'/],
    [{ properties: { a: { type: 'integer', multipleOf: 3 } } }, 'SCHEMA_UNSUPPORTED', /at #\/properties\/a: 'multipleOf'/],
    [{ type: 'string', format: 'iri' }, 'SCHEMA_UNSUPPORTED', /format 'iri' .* date, time/],
    [{ type: 'string', pattern: '^(?=a)b' }, 'SCHEMA_UNSUPPORTED', /pattern .*\(\?/],
    [{ type: 'string', pattern: '(a' }, 'SCHEMA_INVALID', /no regular expression/],
    [{ type: 'strin' }, 'SCHEMA_INVALID', /type must be one of/],
    [{ $ref: 'https://example.org/x' }, 'SCHEMA_UNSUPPORTED', /leads outside/],
    [{ $ref: '#/$defs/none' }, 'SCHEMA_INVALID', /names nothing/],
    [{ anyOf: [{ $ref: '#' }, { type: 'null' }] }, 'SCHEMA_UNSUPPORTED', /leads back to itself/],
    [{ oneOf: [{ type: 'integer' }, { type: 'number' }] }, 'SCHEMA_UNSUPPORTED', /oneOf branches 0 and 1/],
    [{ type: 'object', properties: { a: { $ref: '#' } }, required: ['a'] }, 'SCHEMA_UNSATISFIABLE', /No value is valid/],
    [{ type: 'integer', minimum: 3, maximum: 2 }, 'SCHEMA_UNSATISFIABLE', /No value is valid/],
    [{ type: 'string', pattern: '^a+$', maxLength: 0 }, 'SCHEMA_UNSATISFIABLE', /No value is valid/],
  ])('%j', async (schema, code, message) => {
    await expect(generate(schema as Record<string, unknown>)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    })
  })

  it('a value that is too long for any context, without spelling it out', async () => {
    await expect(generate({ type: 'array', minItems: 1e300 })).rejects.toMatchObject({
      code: 'BUDGET_TOO_SMALL',
      message: expect.stringMatching(/takes at least \S+ tokens; there is room for 64/),
    })
  })

  it('options that would cut the value', async () => {
    await expect(generate({}, { stop: ['x'] })).rejects.toThrow(/stop .* responseFormat/)
  })
})
