import type { TemplateTokens, TokenBuffer } from '@enigma/lm'
import type { LlamaModel } from './llama-library.js'

/** The tokens of a GGUF file, as chat templates need them. */
export class LlamaVocabulary implements TemplateTokens {
  /** Special tokens by id. */
  readonly specialTokens: ReadonlyMap<number, string>
  readonly bosId: number | undefined
  readonly eosId: number | undefined
  readonly #model: LlamaModel
  readonly #ids: ReadonlyMap<string, number>

  constructor(model: LlamaModel) {
    this.#model = model
    this.bosId = model.tokens.bos ?? undefined
    this.eosId = model.tokens.eos ?? undefined
    const specials = new Map<number, string>()
    for (const token of model.iterateAllTokens()) {
      const { control, userDefined } = model.getTokenAttributes(token)
      if (control || userDefined) specials.set(token, model.detokenize([token], true))
    }
    this.specialTokens = specials
    this.#ids = new Map([...specials].map(([id, text]) => [text, id]))
  }

  /** The ids of a text; special tokens that it spells out stay text. */
  encode(text: string): number[] {
    return this.#model.tokenize(text, false)
  }

  encodeInto(text: string, into: TokenBuffer): void {
    for (const id of this.encode(text)) into.push(id)
  }

  tokenToId(token: string): number | undefined {
    return this.#ids.get(token)
  }

  idToToken(id: number): string | undefined {
    return this.specialTokens.get(id)
  }
}
