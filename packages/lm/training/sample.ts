import type { Device } from '@enigma/tensor'
import { TextGenerator } from '../generation/text-generator.js'
import { LanguageModel } from '../language-model.js'
import type { LlamaForCausalLM } from '../model/llama.js'
import type { Tokenizer } from '../tokenizer/index.js'

const prompt = 'Once upon a time'
const longest = 80

/** A short text by the model as it stands; undefined where its context has no room for one. */
export async function sample(
  model: LlamaForCausalLM,
  tokenizer: Tokenizer,
  seed: number,
  options: { readonly threads: number; readonly spin: boolean; readonly device: Device },
): Promise<string | undefined> {
  const maxTokens = Math.min(longest, model.config.context - tokenizer.encode(prompt).length - 1)
  if (maxTokens < 1) return undefined
  const generator = await TextGenerator.create(
    LanguageModel.inMemory('sample', model.config, model.stateDict(), tokenizer),
    options,
  )
  try {
    const { text } = await generator.complete(prompt, { maxTokens, seed })
    return prompt + text
  } finally {
    generator.close()
  }
}
