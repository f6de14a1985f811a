/** One sample of our side: a child process that prints one JSON line. */
import { LanguageModel, TextGenerator } from '@enigma/lm'
import { precisions } from './models.mjs'
import { measure, requested } from './sample.mjs'

const asked = requested()
const started = performance.now()
const { quantization } = precisions[asked.precision]
const model = await LanguageModel.load(asked.place, quantization && { quantization })
const generator = await TextGenerator.create(model, { threads: asked.threads })
const greedily = { temperature: 0, repetitionPenalty: 1 }

const result = await measure(
  {
    generate: async (ids, maxTokens) => (await generator.complete(ids, { ...greedily, maxTokens })).tokens,
    async greedy(ids, maxTokens) {
      const { logprobs } = await generator.complete(ids, { ...greedily, maxTokens, logprobs: true })
      return logprobs.content.map(({ bytes }) => Buffer.from(bytes).toString('hex')).join(' ')
    },
  },
  asked,
  started,
)
console.log(JSON.stringify(result))
process.exit(0)
