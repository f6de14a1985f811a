/** `tokenizer.json` as Hugging Face `tokenizers` writes it. */
export type TokenizerJson = Readonly<Record<string, unknown>>

/** The steps by which tokenizers differ; each an object with a `type`. */
interface Steps {
  readonly pre_tokenizer: TokenizerJson
  readonly decoder: TokenizerJson
  readonly model: TokenizerJson
}

/** A whole `tokenizer.json`: nothing is normalized, cut, filled up or added, and special tokens match as they are spelled. */
export function tokenizerJson(specials: ReadonlyMap<number, string>, { pre_tokenizer, decoder, model }: Steps): TokenizerJson {
  const exactly = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true }
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: Array.from(specials, ([id, content]) => ({ id, content, ...exactly })),
    normalizer: null,
    pre_tokenizer,
    post_processor: null,
    decoder,
    model,
  }
}
