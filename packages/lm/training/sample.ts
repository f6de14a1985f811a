import type { Device } from '@enigma/tensor'
import { TextGenerator } from '../generation/text-generator.js'
import { LanguageModel } from '../language-model.js'
import { mergedTensors } from '../model/lora.js'
import type { TrainingRun } from './training-loop.js'

const prompt = 'Once upon a time'
/** For a model that learns to answer. */
const greeting = 'Hello!'
const longest = 80

/** A short text by the model as it stands, or an answer of it; undefined where its context has no room for one. */
export async function sample(
  { model, tokenizer, template, settings }: Pick<TrainingRun, 'model' | 'tokenizer' | 'template' | 'settings'>,
  seed: number,
  options: { readonly threads: number; readonly spin: boolean; readonly device: Device },
): Promise<string | undefined> {
  const asked = settings.sft ? template?.encode([{ role: 'user', content: greeting }], { addGenerationPrompt: true }) : undefined
  const ids = asked ?? tokenizer.encode(prompt)
  const maxTokens = Math.min(longest, model.config.context - ids.length - 1)
  if (maxTokens < 1) return undefined
  const current = LanguageModel.inMemory('sample', model.config, mergedTensors(model), tokenizer, template)
  const generator = await TextGenerator.create(current, options)
  try {
    const { text } = await generator.complete(ids, { maxTokens, seed })
    return asked ? `${greeting} → ${text}` : prompt + text
  } finally {
    generator.close()
  }
}
