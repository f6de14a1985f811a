import { LmError } from '../../errors.js'

/**
 * A set of byte strings as an expression. Equal expressions are one object, so that an expression serves as the state of an automaton:
 * reading a byte gives its derivative (Brzozowski 1964; with rules, and so recursion: Might, Darais, Spiewak 2011).
 */
export type Language =
  | Node<'nothing'>
  | Node<'end'>
  | (Node<'byte'> & { readonly has: Uint8Array })
  | (Node<'sequence'> & { readonly first: Language; readonly rest: Language })
  | (Node<'either'> & { readonly options: readonly Language[] })
  | (Node<'repeat'> & { readonly of: Language; readonly min: number; readonly max: number })
  | (Node<'both'> & { readonly left: Language; readonly right: Language })
  | (Node<'not'> & { readonly of: Language })
  | (Node<'rule'> & { readonly number: number })

interface Node<Kind extends string> {
  readonly kind: Kind
  readonly id: number
  /** Whether the empty string belongs to it: what was read so far may end here. */
  readonly mayEnd: boolean
}

type Parts<T> = T extends Language ? Omit<T, 'id'> : never

/** One byte, or the bytes from one to another. */
export type ByteRange = number | readonly [from: number, to: number]

/** Options that were looked at, at most: a schema or a text that needs more would take the machine's time and memory (about 3 s, 300 MB). */
const mostWork = 2 ** 22
/** A new expression costs as much as so many options. */
const expressionWork = 16

/** Makes languages, and reads them byte by byte. All throw LmError SCHEMA_UNSUPPORTED once the work has grown beyond bounds. */
export class Languages {
  readonly #known = new Map<string, Language>()
  /** Derivatives that are known, by expression and byte. */
  readonly #next: (Language | undefined)[][] = []
  readonly #rules: (Language | undefined)[] = []
  #work = 0
  /** No string at all. */
  readonly nothing = this.#make('nothing', { kind: 'nothing', mayEnd: false })
  /** Only the empty string. */
  readonly end = this.#make('end', { kind: 'end', mayEnd: true })

  /** One byte out of some. */
  readonly byte = (...ranges: readonly ByteRange[]): Language => {
    const has = new Uint8Array(256)
    for (const range of ranges) {
      const [from, to] = typeof range === 'number' ? [range, range] : range
      has.fill(1, from, to + 1)
    }
    return has.includes(1) ? this.#make(`byte ${has.join('')}`, { kind: 'byte', mayEnd: false, has }) : this.nothing
  }

  /** A text as UTF-8, exactly. */
  readonly text = (text: string): Language => {
    return this.sequence(...Array.from(new TextEncoder().encode(text), (byte) => this.byte(byte)))
  }

  /** One after another. */
  readonly sequence = (...parts: readonly Language[]): Language => {
    return parts.reduceRight((rest, part) => this.#pair(part, rest), this.end)
  }

  readonly either = (...options: readonly Language[]): Language => {
    this.#spend(options.length)
    const flat = new Set(options.flatMap((option) => (option.kind === 'either' ? option.options : [option])))
    flat.delete(this.nothing)
    if (flat.size === 0) return this.nothing
    this.#spend(flat.size)
    const list = [...flat].sort((a, b) => a.id - b.id)
    if (list.length === 1) return list[0]!
    const key = `either ${list.map(({ id }) => id).join(' ')}`
    return this.#make(key, { kind: 'either', mayEnd: list.some(({ mayEnd }) => mayEnd), options: list })
  }

  readonly optional = (part: Language): Language => {
    return this.either(this.end, part)
  }

  /** `min` to `max` times, one after another. */
  readonly repeat = (of: Language, min = 0, max = Number.POSITIVE_INFINITY): Language => {
    if (max < min || (of === this.nothing && min > 0)) return this.nothing
    if (max === 0 || of === this.end || of === this.nothing) return this.end
    if (min === 1 && max === 1) return of
    return this.#make(`repeat ${of.id} ${min} ${max}`, { kind: 'repeat', mayEnd: min === 0 || of.mayEnd, of, min, max })
  }

  /** What belongs to both. */
  readonly both = (left: Language, right: Language): Language => {
    if (left === this.nothing || right === this.nothing) return this.nothing
    if (left === right) return left
    const key = `both ${left.id} ${right.id}`
    return this.#make(key, { kind: 'both', mayEnd: left.mayEnd && right.mayEnd, left, right })
  }

  /** Every byte string that does not belong to it. Holds no rules. */
  readonly not = (of: Language): Language => {
    return this.#make(`not ${of.id}`, { kind: 'not', mayEnd: !of.mayEnd, of })
  }

  /** A language that is defined later, and may so contain itself. It never has the empty string. */
  rule(): { readonly language: Language; define(definition: Language): void } {
    const number = this.#rules.push(undefined) - 1
    return {
      language: this.#make(`rule ${number}`, { kind: 'rule', mayEnd: false, number }),
      define: (definition) => {
        this.#rules[number] = definition
      },
    }
  }

  /** How much of the work that is allowed was done, from 0 to 1. */
  get spent(): number {
    return this.#work / mostWork
  }

  /** How many rules there are, by their numbers below it. */
  get rules(): number {
    return this.#rules.length
  }

  /** @throws LmError SCHEMA_UNSUPPORTED when it is not there yet: a name or a constant was to be checked against what contains it */
  definition(rule: number): Language {
    const definition = this.#rules[rule]
    if (definition) return definition
    throw new LmError('SCHEMA_UNSUPPORTED', 'The JSON schema restricts names or constants by a schema that contains them.')
  }

  /** What may follow once this byte is read. */
  after(language: Language, byte: number): Language {
    const next = (this.#next[language.id] ??= new Array<Language | undefined>(256))
    return (next[byte] ??= this.#derivative(language, byte))
  }

  /** Whether some bytes belong to a language. */
  has(language: Language, bytes: Uint8Array): boolean {
    let state = language
    for (const byte of bytes) state = this.after(state, byte)
    return state.mayEnd
  }

  #derivative(language: Language, byte: number): Language {
    switch (language.kind) {
      case 'nothing':
      case 'end':
        return this.nothing
      case 'byte':
        return language.has[byte] ? this.end : this.nothing
      case 'sequence': {
        const { first, rest } = language
        const inFirst = this.#pair(this.after(first, byte), rest)
        return first.mayEnd ? this.either(inFirst, this.after(rest, byte)) : inFirst
      }
      case 'either':
        return this.either(...language.options.map((option) => this.after(option, byte)))
      case 'repeat': {
        const { of, min, max } = language
        return this.#pair(this.after(of, byte), this.repeat(of, Math.max(0, min - 1), max - 1))
      }
      case 'both':
        return this.both(this.after(language.left, byte), this.after(language.right, byte))
      case 'not':
        return this.not(this.after(language.of, byte))
      case 'rule':
        return this.after(this.definition(language.number), byte)
    }
  }

  #pair(first: Language, rest: Language): Language {
    if (first === this.nothing || rest === this.nothing) return this.nothing
    if (first === this.end) return rest
    if (rest === this.end) return first
    if (first.kind === 'sequence') return this.#pair(first.first, this.#pair(first.rest, rest))
    return this.#make(`sequence ${first.id} ${rest.id}`, { kind: 'sequence', mayEnd: first.mayEnd && rest.mayEnd, first, rest })
  }

  #make(key: string, parts: Parts<Language>): Language {
    const known = this.#known.get(key)
    if (known) return known
    this.#spend(expressionWork)
    const language = { ...parts, id: this.#known.size } as Language
    this.#known.set(key, language)
    return language
  }

  #spend(work: number): void {
    this.#work += work
    if (this.#work > mostWork)
      throw new LmError(
        'SCHEMA_UNSUPPORTED',
        'The JSON schema takes too much work: it has too many parts, or parts that fit together in too many ways.',
      )
  }
}
