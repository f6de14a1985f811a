import type { JournalEvent } from './types.js'

// An event as one line of JSON, whatever its payload is: secrets hidden, errors told, what cannot be written said.

/** Letters of a payload at most. */
const maxLength = 65_536

/** Ends of field names that hold secrets; `tokens` (a count) is none. */
const secretName = /(api[-_]?key|token|password|passwd|passphrase|secret|authorization|cookie|credentials?|private[-_]?key)$/i

export function journalLine(event: Omit<JournalEvent, 'payload'>, payload: unknown): string {
  return `${JSON.stringify(event).slice(0, -1)},"payload":${payloadText(payload)}}\n`
}

/** Undefined for a line that is none: half-written by a crash, or damaged. */
export function parseLine(line: string): JournalEvent | undefined {
  try {
    const value = JSON.parse(line) as Partial<JournalEvent> | null
    if (value !== null && typeof value.id === 'string' && typeof value.event === 'string' && typeof value.time === 'string') {
      return value as JournalEvent
    }
  } catch {
    // Said by the answer.
  }
  return undefined
}

function payloadText(payload: unknown): string {
  try {
    const text = JSON.stringify(payload, plain) ?? 'null'
    return text.length <= maxLength ? text : JSON.stringify({ omitted: `${text.length} letters, at most ${maxLength} are kept` })
  } catch (error) {
    return JSON.stringify({
      omitted: `it cannot be written: ${error instanceof Error ? error.message.split('\n')[0] : 'it throws'}`,
    })
  }
}

function plain(key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (secretName.test(key) && value !== null && typeof value !== 'number' && typeof value !== 'boolean') return '[redacted]'
  if (value instanceof Error) return { name: value.name, message: value.message }
  if (ArrayBuffer.isView(value)) return `[${value.constructor.name} of ${value.byteLength} bytes]`
  return value
}
