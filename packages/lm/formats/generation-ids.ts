import { join } from 'node:path'
import type { ModelConfig } from '../config.js'
import { asObject } from '../tokenizer/byte-bpe-json.js'
import { readJsonObject } from './companions.js'

/**
 * The tokens that begin and end texts where Hugging Face keeps them: in a `config.json` there, `bos_token_id` only names a token; whether
 * texts begin with it is the tokenizer's business (Llama's does, Qwen's does not). Chat models end their turns by tokens that
 * `generation_config.json` alone knows.
 * @throws LmError FILE_CORRUPT
 */
export async function generationIds(folder: string, config: ModelConfig): Promise<Pick<ModelConfig, 'bosId' | 'eosIds'>> {
  const generation = await readJsonObject(join(folder, 'generation_config.json'))
  const ends = [generation?.eos_token_id ?? []].flat().filter((id): id is number => {
    return typeof id === 'number' && Number.isSafeInteger(id) && id >= 0 && id < config.vocabSize
  })
  const begins = config.bosId !== null && (await addsBeginning(folder))
  return { bosId: begins ? config.bosId : null, eosIds: [...new Set([...config.eosIds, ...ends])] }
}

/** Whether the tokenizer of a folder puts a token before each text. A folder that says nothing about it is one of ours: there it stands. */
async function addsBeginning(folder: string): Promise<boolean> {
  const json = await readJsonObject(join(folder, 'tokenizer.json'))
  if (!json) return true
  if (json.post_processor) return processors(json.post_processor).some(startsWithSpecial)
  const settings = await readJsonObject(join(folder, 'tokenizer_config.json'))
  return settings ? settings.add_bos_token === true : true
}

function processors(value: unknown): unknown[] {
  const processor = asObject(value)
  return processor?.type === 'Sequence' && Array.isArray(processor.processors) ? processor.processors : [processor]
}

function startsWithSpecial(value: unknown): boolean {
  const processor = asObject(value)
  const [first]: unknown[] = processor?.type === 'TemplateProcessing' && Array.isArray(processor.single) ? processor.single : []
  return asObject(first)?.SpecialToken !== undefined
}
