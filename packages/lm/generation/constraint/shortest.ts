import { LmError } from '../../errors.js'
import type { Language, Languages } from './language.js'

/** States that are looked at for one string that two languages share, at most. */
const searchLimit = 20_000

/** Letters first, so that a text that must be filled reads as one. */
const byteOrder = [...range(0x61, 0x7a), ...range(0x20, 0x60), ...range(0x7b, 0xff), ...range(0, 0x1f)]

/** The shortest strings of languages, of the bytes that can be written. */
export class Shortest {
  readonly #languages: Languages
  readonly #bytes: readonly number[]
  readonly #length = new Map<Language, number>()
  #rules: readonly number[]

  /** @param writable whether a byte can be written @param languages all rules of which are defined */
  constructor(languages: Languages, writable: (byte: number) => boolean) {
    this.#languages = languages
    this.#bytes = byteOrder.filter(writable)
    this.#rules = new Array<number>(languages.rules).fill(Number.POSITIVE_INFINITY)
    this.#settleRules()
  }

  /** Bytes of a string that belongs to the language, the fewest; Infinity where there is none. A `both` may give a few more. */
  length(language: Language): number {
    let known = this.#length.get(language)
    if (known === undefined) this.#length.set(language, (known = this.#compute(language)))
    return known
  }

  /** Such a string. */
  string(language: Language): Uint8Array {
    const bytes: number[] = []
    for (let state = language; this.length(state) > 0; ) {
      let best = { byte: -1, length: this.length(state), state }
      for (const byte of this.#bytes) {
        const next = this.#languages.after(state, byte)
        const length = this.length(next)
        if (length < best.length) best = { byte, length, state: next }
        // One byte less is the best there is.
        if (length === this.length(state) - 1) break
      }
      bytes.push(best.byte)
      state = best.state
    }
    return Uint8Array.from(bytes)
  }

  /** Rules refer to one another: lengths fall from Infinity until none does (Knuth 1977). */
  #settleRules(): void {
    for (let changed = true; changed; ) {
      this.#length.clear()
      const lengths = this.#rules.map((_, rule) => this.length(this.#languages.definition(rule)))
      changed = lengths.some((length, rule) => length !== this.#rules[rule])
      this.#rules = lengths
    }
  }

  #compute(language: Language): number {
    if (language.mayEnd) return 0
    switch (language.kind) {
      case 'nothing':
      case 'end':
        return Number.POSITIVE_INFINITY
      case 'byte':
        return this.#bytes.some((byte) => language.has[byte]) ? 1 : Number.POSITIVE_INFINITY
      case 'sequence': {
        // A loop, as texts are long chains.
        let total = 0
        let at: Language = language
        for (; at.kind === 'sequence' && !this.#length.has(at); at = at.rest) total += this.length(at.first)
        return total + this.length(at)
      }
      case 'either':
        return Math.min(...language.options.map((option) => this.length(option)))
      case 'repeat':
        return language.min * this.length(language.of)
      case 'rule':
        return this.#rules[language.number]!
      case 'both':
      case 'not':
        return this.#search(language)
    }
  }

  /** Breadth first over what follows each byte. The states on the way found are remembered, so that following it searches no more. */
  #search(start: Language): number {
    const from = new Map<Language, Language | undefined>([[start, undefined]])
    for (let level: Language[] = [start]; level.length > 0; ) {
      const next: Language[] = []
      for (const state of level) {
        for (const byte of this.#bytes) {
          const reached = this.#languages.after(state, byte)
          if (from.has(reached)) continue
          from.set(reached, state)
          const rest = reached.mayEnd ? 0 : (this.#length.get(reached) ?? Number.POSITIVE_INFINITY)
          if (rest < Number.POSITIVE_INFINITY) return this.#remember(reached, rest, from)
          next.push(reached)
        }
      }
      if (from.size > searchLimit)
        throw new LmError(
          'SCHEMA_UNSUPPORTED',
          'A string must satisfy a pattern and a length that are too large to combine. Use a shorter length or a simpler pattern.',
        )
      level = next
    }
    return Number.POSITIVE_INFINITY
  }

  #remember(reached: Language, rest: number, from: ReadonlyMap<Language, Language | undefined>): number {
    let length = rest
    this.#length.set(reached, length)
    for (let state = from.get(reached); state; state = from.get(state)) this.#length.set(state, ++length)
    return length
  }
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index)
}
