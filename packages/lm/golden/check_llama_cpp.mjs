// Compares this project with llama.cpp on GGUF files written here, one tiny random model for each architecture and feature: the
// log-probabilities of every token with more than one in a million along 64 greedy steps, and the tokens chosen.
//
//   npm install --prefix /some/folder node-llama-cpp@3.22.1      (it carries llama.cpp ready-built)
//   node packages/lm/golden/check_llama_cpp.mjs /some/folder
//
// Fails where float32 differs by more than 1e-3 or chooses another token. Other types are shown: their weights are rounded.
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { exportGguf } from '../dist/formats/export-gguf.js'
import { hashUniform } from '../dist/golden/generate.js'
import { createConfig, Decoder, LlamaForCausalLM, trainBpe } from '../dist/index.js'

const found = createRequire(join(resolve(process.argv[2] ?? '.'), 'package.json')).resolve('node-llama-cpp')
const { getLlama, LlamaLogLevel } = await import(pathToFileURL(found).href)

const prompt = 'Once upon a time there was a hare.'
const story = `${prompt} The hare said to the tortoise: hello! And they ran. `.repeat(20)
const { tokenizer } = await trainBpe({ texts: [story], vocabSize: 300 })
const base = {
  ...{ vocabSize: tokenizer.vocabSize + 4, dim: 64, layers: 4, heads: 4, kvHeads: 2, headDim: 32, hidden: 96, context: 256 },
  ...{ ropeTheta: 500, rmsNormEps: 1e-5, eosIds: [0], tieEmbeddings: false },
}
const llama3 = { type: 'llama3', factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalContext: 64 }
const yarn = { type: 'yarn', factor: 4, originalContext: 64, betaFast: 32, betaSlow: 1, truncate: true }
const models = {
  llama: {},
  'llama, biases, llama3': { qkvBias: true, outputBias: true, mlpBias: true, tieEmbeddings: true, ropeScaling: llama3 },
  'llama, linear': { ropeScaling: { type: 'linear', factor: 4 } },
  mistral: { dim: 96, heads: 2, slidingWindow: 4096 },
  qwen2: { qkvBias: true, dim: 128, tieEmbeddings: true },
  'qwen2, wide heads, yarn': {
    ...{ qkvBias: true, ropeTheta: 10_000 },
    ropeScaling: { ...yarn, attentionFactor: 0.1 * Math.log(4) + 1 },
  },
  qwen3: { qkNorm: true },
  smollm3: { noRopeLayers: [3], dim: 128, tieEmbeddings: true },
}
const types = ['f32', 'f16', 'q8_0', 'q4_0']
const steps = 64

/** Weights that make lively logits, the same on every machine. */
function weightsOf(config) {
  const network = new LlamaForCausalLM(config, { seed: null })
  let ordinal = 0
  for (const [name, { data }] of network.namedParameters()) {
    const seed = ordinal++
    const [middle, scale] = [name.endsWith('norm.weight') ? 1 : 0, name.includes('embed') ? 2 : 0.5]
    for (let i = 0; i < data.length; i++) data[i] = middle + (hashUniform(seed, i) - 0.5) * scale
  }
  return network.stateDict()
}

/** The largest difference of two lists of log-probabilities along the greedy text, and how often both choose the same token. */
async function compare(decoder, sequence) {
  const ours = decoder.start()
  let [worst, equal, pending] = [0, 0, tokenizer.encode(prompt)]
  for (let step = 0; step < steps; step++) {
    const logits = Array.from(await decoder.feed(ours, pending))
    const largest = Math.max(...logits)
    const total = largest + Math.log(logits.reduce((sum, value) => sum + Math.exp(value - largest), 0))
    const last = [pending.at(-1), { generateNext: { probabilities: true, options: { temperature: 0 } } }]
    const { probabilities } = (await sequence.controlledEvaluate([...pending.slice(0, -1), last])).at(-1).next
    const ranked = [...probabilities].sort((a, b) => b[1] - a[1])
    for (const [token, probability] of ranked)
      if (probability > 1e-6) worst = Math.max(worst, Math.abs(Math.log(probability) - (logits[token] - total)))
    const best = logits.indexOf(largest)
    if (ranked[0][0] === best) equal++
    pending = [best]
  }
  ours[Symbol.dispose]()
  return { worst, equal }
}

const folder = await mkdtemp(join(tmpdir(), 'enigma-llama-cpp-'))
const llama = await getLlama({ build: 'never', gpu: false, logLevel: LlamaLogLevel.error, maxThreads: 1 })
let failures = 0
for (const [name, features] of Object.entries(models)) {
  const config = createConfig({ ...base, ...features })
  const weights = weightsOf(config)
  const decoder = await Decoder.create(config, weights, { threads: 1, spin: false })
  for (const type of types) {
    const file = join(folder, 'model.gguf')
    const tensors = { read: async (parameter) => weights[parameter].data }
    await exportGguf(file, { name, config, tensors, tokenizer: { json: tokenizer.toJson() }, type })
    const model = await llama.loadModel({ modelPath: file, useMmap: false })
    // llama.cpp keeps its cache in half precision unless told otherwise.
    const cache = { experimentalKvCacheKeyType: 'F32', experimentalKvCacheValueType: 'F32' }
    const context = await model.createContext({ contextSize: config.context, flashAttention: false, threads: 1, ...cache })
    const { worst, equal } = await compare(decoder, context.getSequence())
    const sameIds = JSON.stringify(model.tokenize(prompt)) === JSON.stringify(tokenizer.encode(prompt))
    const failed = !sameIds || (type === 'f32' && (worst > 1e-3 || equal < steps))
    if (failed) failures++
    console.log(name.padEnd(24), type.padEnd(5), worst.toExponential(2), `${equal} of ${steps}`, failed ? 'FAILED' : '')
    await context.dispose()
    await model.dispose()
  }
  decoder.release()
}
await rm(folder, { recursive: true })
process.exit(failures === 0 ? 0 : 1)
