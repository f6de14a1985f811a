/** JSON schema, as much of it as settings have. */
export interface Schema {
  readonly type?: string
  readonly description?: string
  readonly default?: unknown
  readonly enum?: readonly unknown[]
  readonly minimum?: number
  readonly maximum?: number
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
}

/** How a setting is asked for. Lists of words stand one to a line; anything else is JSON. */
export type FieldKind = 'flag' | 'choice' | 'number' | 'text' | 'lines' | 'json'

export function kindOf({ type, enum: choices, items }: Schema): FieldKind {
  if (choices?.every((choice) => typeof choice === 'string')) return 'choice'
  if (type === 'boolean') return 'flag'
  if (type === 'number' || type === 'integer') return 'number'
  if (type === 'string') return 'text'
  return type === 'array' && (items?.type === 'string' || items?.enum?.every((choice) => typeof choice === 'string'))
    ? 'lines'
    : 'json'
}

/** A value as its field shows it; nothing is an empty field. */
export function toText(kind: FieldKind, value: unknown): string {
  if (value === undefined || value === null) return ''
  if (kind === 'lines' && Array.isArray(value)) return value.join('\n')
  return kind === 'json' ? JSON.stringify(value, null, 2) : String(value)
}

/**
 * What a field says; an empty one says nothing, so that the default holds.
 * @throws SyntaxError for a field that should be JSON and is not
 */
export function fromText(kind: FieldKind, text: string): unknown {
  if (text.trim() === '') return kind === 'lines' ? [] : undefined
  if (kind === 'number') return Number(text)
  if (kind === 'flag') return text === 'true'
  if (kind === 'lines')
    return text
      .split('\n')
      .map((line) => line.trim())
      .filter(Boolean)
  return kind === 'json' ? (JSON.parse(text) as unknown) : text
}
