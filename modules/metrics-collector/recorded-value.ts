import { wrong } from './metric-table.js'
import type { RecordedValue } from './types.js'

const types = ['counter', 'gauge', 'histogram']

/** What `metrics-collector:record` left. @throws ModuleError `BAD_CONFIG` for anything else */
export function parseRecorded(text: string): RecordedValue {
  let given: unknown
  try {
    given = JSON.parse(text)
  } catch {
    throw wrong('it is no JSON.')
  }
  const { name, type, value, labels = {} } = (typeof given === 'object' && given !== null ? given : {}) as Partial<RecordedValue>
  const plain = typeof labels === 'object' && labels !== null && Object.values(labels).every((each) => typeof each === 'string')
  if (typeof name !== 'string' || !types.includes(String(type)) || typeof value !== 'number' || !plain) {
    throw wrong('it needs a name, a type, a value and labels of text.')
  }
  return { name, type: type!, value, labels }
}
