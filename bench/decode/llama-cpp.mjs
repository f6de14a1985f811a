/** One sample of llama.cpp, through node-llama-cpp: a child process that prints one JSON line. `ENIGMA_LLAMA_CPP_URL` is its module. */
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Tokenizer } from '@enigma/lm'
import { measure, requested } from './sample.mjs'

const asked = requested()
const { getLlama, LlamaLogLevel } = await import(process.env.ENIGMA_LLAMA_CPP_URL)
const home = join(dirname(asked.place), asked.model, 'tokenizer.json')
const tokenizer = Tokenizer.fromJson(JSON.parse(await readFile(home, 'utf8')))

const started = performance.now()
const llama = await getLlama({ build: 'never', gpu: false, logLevel: LlamaLogLevel.error, maxThreads: asked.threads })
const model = await llama.loadModel({ modelPath: asked.place })
const most = Math.max(1, ...asked.concurrent)
const context = await model.createContext({ contextSize: 1024, batchSize: 512, sequences: most, threads: asked.threads })
const idle = Array.from({ length: most }, () => context.getSequence())

/** One text in a sequence that has read nothing. */
async function evaluate(ids, tokens, visit) {
  const sequence = idle.pop()
  try {
    let count = 0
    for await (const token of sequence.evaluate(ids, { temperature: 0, yieldEogToken: true })) {
      visit(token)
      if (++count === tokens) break
    }
    return count
  } finally {
    await sequence.clearHistory()
    idle.push(sequence)
  }
}

const result = await measure(
  {
    generate: (ids, tokens) => evaluate(ids, tokens, () => undefined),
    async greedy(ids, tokens) {
      const chosen = []
      await evaluate(ids, tokens, (token) => chosen.push(Buffer.from(tokenizer.tokenBytes(token)).toString('hex')))
      return chosen.join(' ')
    },
  },
  asked,
  started,
)
console.log(JSON.stringify(result))
process.exit(0)
