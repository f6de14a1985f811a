import { stat } from 'node:fs/promises'
import { findDataFiles, readTexts } from '../data/index.js'
import { characterTokenizer, Tokenizer } from '../tokenizer/index.js'
import { runFiles } from './run-folder.js'
import type { TrainEvent } from './train-events.js'
import type { TrainOptions } from './train-options.js'
import type { TrainSettings } from './train-settings.js'
import { trainTokenizer } from './train-tokenizer.js'

/** Instead of a file: the characters of the text. */
const characters = 'char'

/** The run's own tokenizer: kept from its first part, given, or made of the data. */
export async function runTokenizer(
  out: string,
  { tokenizer: given, vocabSize, signal }: TrainOptions,
  known: TrainSettings | undefined,
  data: readonly string[],
  emit: (event: TrainEvent) => void,
): Promise<Tokenizer> {
  const path = runFiles.tokenizer(out)
  if (known && (await stat(path).catch(() => undefined))) return Tokenizer.load(path)
  const save = async (tokenizer: Tokenizer) => {
    await tokenizer.save(path)
    return tokenizer
  }
  if (given === characters)
    return save(await characterTokenizer(readTexts(await findDataFiles(data), () => signal?.throwIfAborted())))
  if (given) return save(await Tokenizer.load(given))
  emit({ type: 'phase', phase: 'tokenizer', message: 'Training a tokenizer' })
  const { tokenizer, warnings } = await trainTokenizer({ data, vocabSize: known?.vocabSize ?? vocabSize, signal })
  for (const message of warnings) emit({ type: 'warning', message })
  return save(tokenizer)
}
