import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createConfig,
  defaultSpecialTokens,
  exportModel,
  LlamaForCausalLM,
  type ModelContent,
  saveModel,
  type TrainBpeOptions,
  trainBpe,
} from '@enigma/lm'

const text = 'Once upon a time there was a hare. The hare said to the tortoise: hello! And they ran. '.repeat(20)

/** How models with gaps mark them (Qwen's names, which llama.cpp knows). */
export const gapTokens = ['<|fim_prefix|>', '<|fim_suffix|>', '<|fim_middle|>']

export interface TinyModel extends AsyncDisposable {
  /** For the module `model`. */
  readonly folder: string
  /** The same weights, in float32. */
  readonly gguf: string
}

/** A model of random weights in both layouts. */
export async function tinyModel({
  specials = [],
  template,
}: {
  specials?: readonly string[]
  template?: string
} = {}): Promise<TinyModel> {
  const root = await mkdtemp(join(tmpdir(), 'enigma-gguf-'))
  const options: TrainBpeOptions = { texts: [text], vocabSize: 320, specialTokens: [...defaultSpecialTokens, ...specials] }
  const { tokenizer } = await trainBpe(options)
  const { vocabSize, eosId } = tokenizer
  const shape = { dim: 64, layers: 2, heads: 4, kvHeads: 2, context: 256 }
  const config = createConfig({ vocabSize, bosId: eosId!, eosIds: [eosId!], ...shape })
  const network = new LlamaForCausalLM(config, { seed: 1 })
  // Livelier than fresh weights, whose logits are all but equal.
  for (const [name, { data }] of network.namedParameters())
    if (!name.endsWith('norm.weight')) for (let i = 0; i < data.length; i++) data[i]! *= 8
  const folder = join(root, 'owl')
  await saveModel(folder, {
    config,
    tensors: network.stateDict() as ModelContent['tensors'],
    tokenizerJson: JSON.stringify(tokenizer.toJson()),
    ...(template !== undefined && { beside: { 'tokenizer_config.json': JSON.stringify({ chat_template: template }) } }),
  })
  const gguf = join(root, 'owl.gguf')
  await exportModel(folder, gguf, { format: 'gguf', type: 'f32' })
  return { folder, gguf, [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }) }
}

/** Whether llama.cpp is installed; it is optional, and not there for every platform. */
export const llamaThere = await import('node-llama-cpp' as string).then(
  () => true,
  () => false,
)
