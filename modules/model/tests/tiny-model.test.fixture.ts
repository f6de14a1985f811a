import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
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

const adapted = 'model.layers.0.self_attn.q_proj'
/** The weight that `saveAdapter` changes. */
export const adaptedWeight = `${adapted}.weight`

/** Writes a LoRA adapter of a tiny model by hand, in PEFT's layout: it adds 2 to each number of one matrix. */
export async function saveAdapter(folder: string, base: string): Promise<void> {
  const matrix = (shape: number[], at: number) => ({ dtype: 'F32', shape, data_offsets: [at, at + 128] })
  const header = Buffer.from(
    JSON.stringify({
      [`base_model.model.${adapted}.lora_A.weight`]: matrix([1, 32], 0),
      [`base_model.model.${adapted}.lora_B.weight`]: matrix([32, 1], 128),
    }),
  )
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(header.length))
  const ones = Buffer.from(new Float32Array(64).fill(1).buffer)
  await mkdir(folder)
  await writeFile(join(folder, 'adapter_model.safetensors'), Buffer.concat([length, header, ones]))
  const config = { peft_type: 'LORA', base_model_name_or_path: base, r: 1, lora_alpha: 2, target_modules: ['q_proj'] }
  await writeFile(join(folder, 'adapter_config.json'), JSON.stringify(config))
}
