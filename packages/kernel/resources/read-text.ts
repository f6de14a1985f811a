import { readFileSync } from 'node:fs'

/** The text of a file, trimmed; undefined when it cannot be read or is empty. */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim() || undefined
  } catch {
    return undefined
  }
}
