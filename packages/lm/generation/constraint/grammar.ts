import { LmError } from '../../errors.js'
import { nestedTooDeeply } from './json-schema.js'
import { type Language, Languages } from './language.js'
import { schemaLanguage } from './schema-language.js'
import { Shortest } from './shortest.js'
import type { Vocabulary } from './vocabulary.js'

/** The tokens that may come next, and what may follow each. */
export interface AllowedTokens {
  readonly tokens: Int32Array
  readonly after: readonly Language[]
  /** Bytes that are needed after the token for which most are. */
  readonly longest: number
}

/** Entries of all masks that are kept. */
const keptEntries = 4_000_000

/** A schema for one vocabulary, with all that was worked out about it; serves any number of texts. */
export class Grammar {
  readonly vocabulary: Vocabulary
  readonly start: Language
  readonly #languages = new Languages()
  readonly #shortest: Shortest
  readonly #allowed = new Map<Language, AllowedTokens>()
  #entries = 0

  /** @throws LmError SCHEMA_INVALID, SCHEMA_UNSUPPORTED, SCHEMA_UNSATISFIABLE */
  constructor(schema: unknown, vocabulary: Vocabulary) {
    this.vocabulary = vocabulary
    try {
      this.start = schemaLanguage(this.#languages, schema)
      this.#shortest = new Shortest(this.#languages, (byte) => vocabulary.writable(byte))
    } catch (error) {
      throw error instanceof RangeError ? nestedTooDeeply(error) : error
    }
    if (this.bytesToEnd(this.start) === Number.POSITIVE_INFINITY)
      throw new LmError(
        'SCHEMA_UNSATISFIABLE',
        "No value is valid under the JSON schema, or the model's vocabulary cannot spell any.",
      )
  }

  /** How much of the work that one grammar may take was done, from 0 to 1. */
  get spent(): number {
    return this.#languages.spent
  }

  after(state: Language, bytes: Uint8Array): Language {
    let next = state
    for (const byte of bytes) next = this.#languages.after(next, byte)
    return next
  }

  /** Bytes that complete what was written so far; enough, and almost always the fewest. */
  bytesToEnd(state: Language): number {
    return this.#shortest.length(state)
  }

  /** Tokens that complete it: a short text, spelled in as few as possible. */
  shortest(state: Language): number[] {
    return this.vocabulary.spell(this.#shortest.string(state))
  }

  /**
   * Tokens that complete it with long tokens instead of few bytes: each leaves the fewest bytes to go; undefined where they are more than `most`.
   * Looks at the whole vocabulary for each.
   */
  quickest(start: Language, most: number): number[] | undefined {
    const plan: number[] = []
    for (let state = start; this.bytesToEnd(state) > 0; ) {
      if (plan.length === most) return undefined
      const { tokens, after } = this.allowed(state)
      const best = after.reduce(
        (least, next, index) => (this.bytesToEnd(next) < this.bytesToEnd(after[least]!) ? index : least),
        0,
      )
      plan.push(tokens[best]!)
      state = after[best]!
    }
    return plan
  }

  /** Whether nothing may follow. */
  ended(state: Language): boolean {
    return state.mayEnd && this.allowed(state).tokens.length === 0
  }

  allowed(state: Language): AllowedTokens {
    const known = this.#allowed.get(state)
    if (known) return known
    const tokens: number[] = []
    const after: Language[] = []
    let longest = 0
    this.vocabulary.walk(this.#languages, state, (token, next) => {
      const bytes = this.bytesToEnd(next)
      if (bytes === Number.POSITIVE_INFINITY) return
      tokens.push(token)
      after.push(next)
      longest = Math.max(longest, bytes)
    })
    const allowed = { tokens: Int32Array.from(tokens), after, longest }
    if ((this.#entries += tokens.length) > keptEntries) {
      this.#allowed.clear()
      this.#entries = tokens.length
    }
    this.#allowed.set(state, allowed)
    return allowed
  }
}
