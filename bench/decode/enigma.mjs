/** One sample of our side: a child process that prints one JSON line. */
import { LanguageModel, TextGenerator } from '@enigma/lm'
import { precisions } from './models.mjs'
import { comparedPrompt, comparedTokens, finish, measureOne, measureSeveral, requested, residentMb, timed } from './sample.mjs'

const { place, precision, threads, shape, concurrent } = requested()
const started = performance.now()
const { gguf: _, ...rounding } = precisions[precision]
const model = await LanguageModel.load(place, rounding)
const generator = await TextGenerator.create(model, { threads })
const greedily = { temperature: 0, repetitionPenalty: 1 }
const subject = { generate: async (ids, maxTokens) => (await generator.complete(ids, { ...greedily, maxTokens })).tokens }

await timed(subject, shape.prompt, 1)
const result = { loadMs: performance.now() - started, ...(await measureOne(subject, shape)), rssMb: residentMb() }
for (const requests of concurrent) Object.assign(result, await measureSeveral(subject, shape, requests))
const { logprobs } = await generator.complete(comparedPrompt, { ...greedily, maxTokens: comparedTokens, logprobs: true })
const greedy = logprobs.content.map(({ bytes }) => Buffer.from(bytes).toString('hex')).join(' ')
finish({ ...result, greedy })
