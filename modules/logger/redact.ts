// Secrets never reach the log: fields named like one, and tokens within text.

const hidden = '[redacted]'

/** Ends of field names that hold secrets, letters only: `apiKey`, `OPENAI_API_KEY`, `set-cookie`; `tokens` (a count) is none. */
const secretName = /(apikey|token|password|passwd|passphrase|secret|authorization|cookie|credential|credentials|privatekey)$/

const secretText: readonly (readonly [RegExp, string])[] = [
  [/\b(bearer|basic)\s+[\w.~+/-]{8,}=*/gi, `$1 ${hidden}`],
  [/\b(sk|pk|ghp|gho|hf|xox[abp])[-_][\w-]{16,}/g, hidden],
  [/\b(api[-_]?key|token|password|secret)=[^\s&]+/gi, `$1=${hidden}`],
]

/** How deep fields are written; what lies deeper is cut off. */
const maxDepth = 8

/** The text without tokens. */
export function redactText(text: string): string {
  return secretText.reduce((result, [pattern, replacement]) => result.replaceAll(pattern, replacement), text)
}

/** A copy of the fields without secrets; errors become their type, message and stack, cycles and great depth are cut. */
export function redactFields(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return redactMap(fields, new Set(), 0)
}

function redactMap(fields: object, path: Set<object>, depth: number): Record<string, unknown> {
  path.add(fields)
  const result = Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, redactValue(key, value, path, depth)]))
  path.delete(fields)
  return result
}

function redactValue(key: string, value: unknown, path: Set<object>, depth: number): unknown {
  if (value === undefined || value === null || value === '') return value
  if (secretName.test(key.toLowerCase().replaceAll(/[^a-z]/g, '')) && typeof value !== 'number') return hidden
  if (typeof value === 'string') return redactText(value)
  if (typeof value === 'bigint') return value.toString()
  if (typeof value !== 'object') return value
  if (path.has(value)) return '[circular]'
  if (depth >= maxDepth) return '[deep]'
  if (value instanceof Error) {
    return redactMap({ type: value.name, message: value.message, stack: value.stack, cause: value.cause }, path, depth + 1)
  }
  if (value instanceof Date) return value
  if (ArrayBuffer.isView(value)) return `[${value.constructor.name} of ${value.byteLength} bytes]`
  if (Array.isArray(value)) {
    path.add(value)
    const items = value.map((item) => redactValue('', item, path, depth + 1))
    path.delete(value)
    return items
  }
  return redactMap(value, path, depth + 1)
}
