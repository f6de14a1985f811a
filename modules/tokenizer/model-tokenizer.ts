import type { LanguageModelService } from '@enigma/contracts'
import { ModuleError } from '@enigma/kernel'
import { LanguageModel, type Tokenizer } from '@enigma/lm'
import type { TokenizerService } from './types.js'

/** A tokenizer and what to call it. */
export interface Vocabulary {
  readonly tokenizer: Tokenizer
  readonly source: string
}

/** A tokenizer that was read from a file. */
export function fixedVocabulary(tokenizer: Tokenizer, source: string): () => Vocabulary {
  const vocabulary = { tokenizer, source }
  return () => vocabulary
}

/**
 * The tokenizer of whatever model is loaded now: ids of one model mean nothing to another, so it is asked at each use and a
 * swap of the model takes effect at once.
 */
export function vocabularyOf(current: () => LanguageModelService | undefined): () => Vocabulary | undefined {
  return () => {
    const service = current()
    if (service === undefined) return undefined
    const model: unknown = service.handle
    return model instanceof LanguageModel ? { tokenizer: model.tokenizer, source: `model ${service.name}` } : undefined
  }
}

/** `Tokenization` over a vocabulary that may come and go. */
export class ModelTokenizer implements TokenizerService {
  readonly #current: () => Vocabulary | undefined

  constructor(current: () => Vocabulary | undefined) {
    this.#current = current
  }

  get source(): string | undefined {
    return this.#current()?.source
  }

  get vocabSize(): number {
    return this.#tokenizer.vocabSize
  }

  // The contract's ids are optional; a getter has no other way to be absent than to give undefined.
  get bosId(): number {
    return this.#tokenizer.bosId as number
  }

  get eosId(): number {
    return this.#tokenizer.eosId as number
  }

  encode(text: string): number[] {
    return this.#tokenizer.encode(text)
  }

  decode(ids: readonly number[]): string {
    return this.#tokenizer.decode(ids)
  }

  get #tokenizer(): Tokenizer {
    const vocabulary = this.#current()
    if (vocabulary) return vocabulary.tokenizer
    const fix = "Load a model: load('model'); or name a file: load('tokenizer', { file: '…/tokenizer.json' })."
    throw new ModuleError('SERVICE_MISSING', `There is no tokenizer, as no model with one is loaded. ${fix}`, {
      module: 'tokenizer',
    })
  }
}
