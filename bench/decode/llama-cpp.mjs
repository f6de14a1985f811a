/**
 * One sample of llama.cpp, through node-llama-cpp: a child process that prints one JSON line. `ENIGMA_LLAMA_CPP_URL` is its module. On two
 * cores its threads wait for each other so long that one thread can be faster: each figure is the better of one and of all threads.
 */
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Tokenizer } from '@enigma/lm'
import { comparedPrompt, comparedTokens, finish, measureOne, measureSeveral, requested, residentMb, timed } from './sample.mjs'

const { place, model: name, threads, shape, concurrent } = requested()
const { getLlama, LlamaLogLevel } = await import(process.env.ENIGMA_LLAMA_CPP_URL)
const tokenizer = Tokenizer.fromJson(JSON.parse(await readFile(join(dirname(place), name, 'tokenizer.json'), 'utf8')))

const started = performance.now()
const llama = await getLlama({ build: 'never', gpu: false, logLevel: LlamaLogLevel.error, maxThreads: threads })
const model = await llama.loadModel({ modelPath: place })

/** A context of its own: `{ generate, dispose }`. */
async function subjectOf(used, sequences) {
  const context = await model.createContext({ contextSize: 1024, batchSize: 512, sequences, threads: used })
  const idle = Array.from({ length: sequences }, () => context.getSequence())
  return {
    /** One text in a sequence that has read nothing. */
    async generate(ids, tokens, visit = () => undefined) {
      const sequence = idle.pop()
      let count = 0
      for await (const token of sequence.evaluate(ids, { temperature: 0, yieldEogToken: true })) {
        visit(token)
        if (++count === tokens) break
      }
      await sequence.clearHistory()
      idle.push(sequence)
      return count
    },
    dispose: () => context.dispose(),
  }
}

const higher = (a = 0, b = 0) => Math.max(a, b)
let subject = await subjectOf(threads, 1)
await timed(subject, shape.prompt, 1)
const result = { loadMs: performance.now() - started, ...(await measureOne(subject, shape)), rssMb: residentMb() }
const greedy = []
await subject.generate(comparedPrompt, comparedTokens, (token) =>
  greedy.push(Buffer.from(tokenizer.tokenBytes(token)).toString('hex')),
)
await subject.dispose()

if (threads > 1) {
  subject = await subjectOf(1, 1)
  const { firstTokenMs, decode, prefill } = await measureOne(subject, shape)
  result.firstTokenMs = Math.min(result.firstTokenMs, firstTokenMs)
  result.decode = higher(result.decode, decode)
  result.prefill = higher(result.prefill, prefill)
  await subject.dispose()
}
for (const used of new Set([threads, 1]))
  for (const requests of concurrent) {
    subject = await subjectOf(used, requests)
    for (const [key, value] of Object.entries(await measureSeveral(subject, shape, requests)))
      result[key] = higher(result[key], value)
    await subject.dispose()
  }
finish({ ...result, greedy: greedy.join(' ') })
