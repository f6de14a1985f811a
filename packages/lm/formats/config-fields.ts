import { LmError } from '../errors.js'

/** Reads typed fields out of a parsed `config.json`; every message names the file and the field. `null` counts as left out. */
export class ConfigFields {
  constructor(
    readonly value: Readonly<Record<string, unknown>>,
    /** How messages name the file. */
    readonly source: string,
    /** Stands before the names of fields: `rope_scaling.`. */
    readonly prefix = '',
  ) {}

  has(field: string): boolean {
    return this.value[field] !== undefined && this.value[field] !== null
  }

  /** @throws LmError INVALID_CONFIG when it is no number, or left out with no fallback */
  number(field: string, fallback?: number): number {
    const given = this.value[field] ?? fallback
    if (given === undefined) throw new LmError('INVALID_CONFIG', `${this.source} lacks ${this.prefix}${field}`)
    if (typeof given !== 'number') throw this.#wrongType(field, 'a number', given)
    return given
  }

  /** @throws LmError INVALID_CONFIG when it is neither true nor false */
  flag(field: string, fallback: boolean): boolean {
    const given = this.value[field] ?? fallback
    if (typeof given !== 'boolean') throw this.#wrongType(field, 'true or false', given)
    return given
  }

  /** One id or a list of them; `fallback` only where the field is absent: null means none. @throws LmError INVALID_CONFIG */
  ids(field: string, fallback: number | null, vocabSize: number): number[] {
    const given = this.value[field] === undefined ? fallback : this.value[field]
    const list: unknown[] = given === null ? [] : Array.isArray(given) ? given : [given]
    // Old conversions carry ids that are no rows of the table (pad_token_id -1); they can never occur in a text.
    return list.filter((id): id is number => {
      if (typeof id !== 'number') throw this.#wrongType(field, 'a token id', given)
      return id >= 0 && id < vocabSize
    })
  }

  /** The fields of an object; undefined where it is left out. @throws LmError INVALID_CONFIG */
  object(field: string): ConfigFields | undefined {
    if (!this.has(field)) return undefined
    const given = this.value[field]
    if (!isObject(given)) throw this.#wrongType(field, 'an object', given)
    return new ConfigFields(given, this.source, `${this.prefix}${field}.`)
  }

  /** The elements of a list; undefined where it is left out. @throws LmError INVALID_CONFIG */
  list(field: string): readonly unknown[] | undefined {
    if (!this.has(field)) return undefined
    const given = this.value[field]
    if (!Array.isArray(given)) throw this.#wrongType(field, 'a list', given)
    return given
  }

  /** For a field whose value this project does not compute. */
  unsupported(field: string, what = 'this loads Llama, Mistral, Qwen2, Qwen3 and SmolLM models'): LmError {
    const given = shown(this.value[field])
    return new LmError('UNSUPPORTED_MODEL', `${this.source}: ${this.prefix}${field} ${given} is not supported; ${what}`)
  }

  #wrongType(field: string, wanted: string, given: unknown): LmError {
    return new LmError('INVALID_CONFIG', `${this.source}: ${this.prefix}${field} must be ${wanted}, got ${shown(given)}`)
  }
}

/** A value for a message: its beginning; lists in lists without end have none. */
function shown(value: unknown): string {
  try {
    return String(JSON.stringify(value)).slice(0, 200)
  } catch {
    return 'what is nested too deeply'
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
