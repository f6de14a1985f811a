import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createConfig, LlamaForCausalLM, type ModelConfig, type ModelContent, saveModel, trainBpe } from '@enigma/lm'

const text = 'Once upon a time there was a hare. The hare said to the tortoise: hello! And they ran. '.repeat(20)

/** A folder under the system's temporary one that is gone when the scope ends. */
export async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'enigma-model-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

/** Writes a model of random weights: 2 layers of 32, or the shape given. */
export async function saveTinyModel(folder: string, shape: Partial<ModelConfig> = {}): Promise<void> {
  const { tokenizer } = await trainBpe({ texts: [text], vocabSize: 300 })
  const { vocabSize, eosId } = tokenizer
  const config = createConfig({ vocabSize, dim: 32, layers: 2, heads: 2, context: 64, eosIds: [eosId!], ...shape })
  const tensors = new LlamaForCausalLM(config, { seed: 1 }).stateDict() as ModelContent['tensors']
  await saveModel(folder, { config, tensors, tokenizerJson: JSON.stringify(tokenizer.toJson()) })
}
