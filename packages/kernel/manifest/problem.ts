import type { ModuleErrorCode } from '../errors.js'

/** One thing wrong with a manifest or a config. */
export interface Problem {
  /** `config.steps`; empty for the object itself. */
  readonly key: string
  /** The same as a list, as keys may hold dots. */
  readonly path: readonly string[]
  readonly message: string
  /** From 1; undefined for what was not read from a file. */
  readonly line?: number | undefined
  /** Where a problem has its own code; otherwise that of the whole. */
  readonly code?: ModuleErrorCode | undefined
}

/** Keys may be long, and are quoted in sentences. */
const longest = 600

export function problem(path: readonly string[], text: string, more: { line?: number; code?: ModuleErrorCode } = {}): Problem {
  const message = text.length > longest ? `${text.slice(0, longest)}…` : text
  return { key: path.join('.'), path, message, ...more }
}
