/** The models of the suite: random weights in the shapes of presets, as folders of ours and as GGUF files, the same numbers in each. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { exportModel, LlamaForCausalLM, parameterCount, presetConfig, saveModel, trainBpe } from '@enigma/lm'

/** Name → the configuration for a vocabulary, and what is asked of it. `prefill`: tokens of the long prompt. */
export const models = {
  '27m': { preset: 'small', vocabulary: 8192, shape: {}, prompt: 16, tokens: 128, prefill: 512 },
  '110m': { preset: 'medium', vocabulary: 32_000, shape: { kvHeads: 12 }, prompt: 16, tokens: 64, prefill: 512 },
  tiny: { preset: 'nano', vocabulary: 512, shape: {}, prompt: 8, tokens: 16, prefill: 64 },
}

/** How weights are stored: by us, and by llama.cpp (both keep embedding and head in 8 bits where the rest has 4). */
export const precisions = {
  f32: { gguf: 'f32' },
  '8bit': { quantization: 'int8', gguf: 'q8_0' },
  '4bit': { quantization: 'int4', gguf: 'q4_0' },
  '4bit-128': { quantization: 'int4', groupSize: 128, gguf: 'q4_0' },
}

/** The longest text of a sample. */
const context = 1024

/** Texts of words made of random syllables, always the same: enough for a vocabulary of every size here. */
function* wordTexts() {
  let state = 1
  const random = (n) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * n)
  }
  const syllable = () => 'bcdfghklmnprstvw'[random(16)] + 'aeiou'[random(5)] + 'lmnrst'[random(6)]
  const words = Array.from({ length: 60_000 }, () => Array.from({ length: 2 + random(3) }, syllable).join(''))
  for (let text = 0; text < 40; text++) yield Array.from({ length: 6000 }, () => words[random(words.length)]).join(' ')
}

/** The model's configuration and how many weights it has, embeddings once. */
export function describeModel(name) {
  const { preset, vocabulary, shape } = models[name]
  const config = presetConfig(preset, vocabulary, { context, ...shape })
  return { config, parameters: parameterCount(config) }
}

/**
 * Makes what is missing of a model in a folder.
 * @returns `{ folder, gguf: precision → file }`
 */
export async function makeModel(name, folder, log) {
  const { config } = describeModel(name)
  const home = join(folder, name)
  if (!existsSync(join(home, 'config.json'))) {
    log(`making a random model of the size ${name}`)
    const { tokenizer } = await trainBpe({ texts: wordTexts(), vocabSize: config.vocabSize, specialTokens: ['<|endoftext|>'] })
    const tensors = new LlamaForCausalLM(config, { seed: 1 }).stateDict()
    await saveModel(home, { config, tensors, tokenizerJson: JSON.stringify(tokenizer.toJson()) })
  }
  const gguf = {}
  for (const [precision, { gguf: type }] of Object.entries(precisions)) {
    gguf[precision] = join(folder, `${name}-${type}.gguf`)
    if (!existsSync(gguf[precision])) await exportModel(home, gguf[precision], { format: 'gguf', type })
  }
  return { folder: home, gguf }
}

/**
 * Bytes that are read for one token at least: the matrices, each once, of the embedding one row.
 * @param bytesPerWeight of the layers' matrices and of the head
 */
export function bytesPerToken({ vocabSize, dim, layers, heads, kvHeads, headDim, hidden }, { layer, head }) {
  const matrices = layers * (2 * dim * heads * headDim + 2 * dim * kvHeads * headDim + 3 * dim * hidden)
  return matrices * layer + vocabSize * dim * head
}
