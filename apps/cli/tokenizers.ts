import { existsSync } from 'node:fs'
import { modelFolder } from './find-model.js'
import type { Output } from './output/output.js'

/** A `tokenizer.json` by file, or the one of a model by name or folder; without a name, the shipped model's. */
export async function openTokenizer(name = 'storyteller') {
  const { Tokenizer } = await import('enigma')
  return Tokenizer.load(name.endsWith('.json') && existsSync(name) ? name : await modelFolder(name))
}

/** Learns a byte-level BPE from files and writes it. Returns the size of its vocabulary. */
export async function trainTokenizer(
  data: readonly string[],
  file: string,
  vocabSize: number,
  out: Output,
  signal: AbortSignal,
): Promise<number> {
  const lm = await import('enigma')
  const { tokenizer, warnings } = await lm.trainTokenizer({
    data,
    vocabSize,
    signal,
    onProgress(progress) {
      if (progress.phase === 'counting') out.progress(`read ${Math.round(progress.bytes / 1e6)} MB`)
      else out.progress(`${progress.tokens} of ${progress.total} tokens`)
    },
  })
  out.clearProgress()
  for (const warning of warnings) out.warn(warning)
  await tokenizer.save(file)
  return tokenizer.vocabSize
}
