import { LmError } from '../../errors.js'
import type { Tokenizer } from '../../tokenizer/index.js'
import { Grammar } from './grammar.js'
import { type JsonSchema, nestedTooDeeply } from './json-schema.js'
import { Vocabulary } from './vocabulary.js'

const kept = 8
/** Long texts with a counted length make many expressions; a grammar that has done more of the work it may do is made again for the next text. */
const mostSpent = 0.5

/** The grammars of the schemas that were asked for last: what was worked out about one serves the next text, too. */
export class GrammarCache {
  readonly #tokenizer: Tokenizer
  readonly #grammars = new Map<string, Grammar>()
  #vocabulary: Vocabulary | undefined

  constructor(tokenizer: Tokenizer) {
    this.#tokenizer = tokenizer
  }

  /** @throws LmError SCHEMA_INVALID, SCHEMA_UNSUPPORTED, SCHEMA_UNSATISFIABLE */
  of(schema: JsonSchema): Grammar {
    const key = spelled(schema)
    this.#vocabulary ??= new Vocabulary(this.#tokenizer)
    const known = this.#grammars.get(key)
    const grammar = known && known.spent < mostSpent ? known : new Grammar(schema, this.#vocabulary)
    this.#grammars.delete(key)
    this.#grammars.set(key, grammar)
    if (this.#grammars.size > kept) this.#grammars.delete(this.#grammars.keys().next().value!)
    return grammar
  }
}

/** @throws LmError SCHEMA_UNSUPPORTED, SCHEMA_INVALID for what cannot be written as JSON */
function spelled(schema: JsonSchema): string {
  try {
    return JSON.stringify(schema)
  } catch (error) {
    if (error instanceof RangeError) throw nestedTooDeeply(error)
    throw new LmError('SCHEMA_INVALID', `The JSON schema is no JSON: ${(error as Error).message}`, { cause: error })
  }
}
