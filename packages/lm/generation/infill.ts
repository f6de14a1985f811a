import { LmError } from '../errors.js'
import type { Tokenizer } from '../tokenizer/tokenizer.js'

// Filling in the middle (Bavarian et al. 2022): models for code have tokens that mark a gap between two texts.

type Part = 'prefix' | 'suffix' | { readonly token: string }

interface InfillStyle {
  /** Models that are asked so. */
  readonly models: string
  readonly parts: readonly Part[]
}

/** A text before and a text after the gap, each behind its mark, then the mark behind which the model writes. */
const prefixFirst = (models: string, prefix: string, suffix: string, middle: string): InfillStyle => ({
  models,
  parts: [{ token: prefix }, 'prefix', { token: suffix }, 'suffix', { token: middle }],
})

/** As the models' own cards write them. */
const styles: readonly InfillStyle[] = [
  prefixFirst('Qwen2.5-Coder, CodeGemma', '<|fim_prefix|>', '<|fim_suffix|>', '<|fim_middle|>'),
  prefixFirst('StarCoder, StarCoder2, Granite', '<fim_prefix>', '<fim_suffix>', '<fim_middle>'),
  prefixFirst('SantaCoder', '<fim-prefix>', '<fim-suffix>', '<fim-middle>'),
  prefixFirst('CodeLlama', '▁<PRE>', '▁<SUF>', '▁<MID>'),
  prefixFirst('DeepSeek-Coder', '<｜fim▁begin｜>', '<｜fim▁hole｜>', '<｜fim▁end｜>'),
  prefixFirst('GLM-4', '<|code_prefix|>', '<|code_suffix|>', '<|code_middle|>'),
  // Here the text before the gap comes last, and is gone on with.
  { models: 'Codestral', parts: [{ token: '[SUFFIX]' }, 'suffix', { token: '[PREFIX]' }, 'prefix'] },
]

/**
 * The ids that ask a model for what stands between two texts. Marks that the texts spell out stay text.
 * @throws LmError INFILL_UNSUPPORTED when the vocabulary has the marks of no style
 */
export function infillPrompt(
  tokenizer: Pick<Tokenizer, 'tokenToId' | 'encode'>,
  texts: { readonly prefix: string; readonly suffix: string },
): number[] {
  const style = styles.find(({ parts }) =>
    parts.every((part) => typeof part === 'string' || tokenizer.tokenToId(part.token) !== undefined),
  )
  if (style)
    return style.parts.flatMap((part) =>
      typeof part === 'string' ? tokenizer.encode(texts[part]) : [tokenizer.tokenToId(part.token)!],
    )
  throw new LmError(
    'INFILL_UNSUPPORTED',
    `The model has no tokens to mark a gap between two texts, as ${styles.map(({ models }) => models).join(', ')} have. Ask without a suffix.`,
  )
}
