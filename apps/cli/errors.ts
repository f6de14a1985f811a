import { CommanderError } from 'commander'
import { inCommandWords } from './command-words.js'

// Everything thrown becomes one line on stderr and an exit code: 0 fine, 1 failed, 2 wrong usage, 128 + n ended by signal n.

export const exitCodes = { ok: 0, failure: 1, usage: 2 } as const

/** What can go wrong in the command itself; other packages' errors come with their own codes. */
type CliErrorCode = 'USAGE' | 'BAD_SETTING' | 'NO_INPUT' | 'CHECK_FAILED'

export class CliError extends Error {
  override readonly name = 'CliError'
  constructor(
    readonly code: CliErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

/** Codes of any package that mean: the call was wrong, not the world. */
const usageCodes = new Set([
  'USAGE',
  'NO_INPUT',
  'BAD_SETTING',
  'UNKNOWN_PRESET',
  'INVALID_OPTION',
  'EMPTY_PROMPT',
  'UNSUPPORTED',
  'SCHEMA_INVALID',
  'SCHEMA_UNSUPPORTED',
  'SCHEMA_UNSATISFIABLE',
  'COMMAND_MISSING',
  'BAD_ID',
  'FOLDER_EXISTS',
])

/** What the system says, in words. */
const systemErrors: Record<string, (path: string) => string> = {
  ENOENT: (path) => `${path} does not exist`,
  EACCES: (path) => `${path} may not be read or written: permission denied`,
  EISDIR: (path) => `${path} is a folder, not a file`,
  ENOTDIR: (path) => `${path} is not a folder`,
  ENOSPC: (path) => `The disk is full: ${path} cannot be written. Free some space and run the command again`,
  EROFS: (path) => `${path} is on a read-only file system`,
}

/** As {@link systemErrors}, where the system does not say which file: a write to one that is open already. */
const systemErrorsOfWrites: Record<string, string> = {
  ENOSPC: 'The disk is full. Free some space and run the command again',
  EIO: 'The output cannot be written',
}

interface Failure {
  readonly line: string
  readonly exitCode: number
}

/** The line and the exit code for anything thrown; null for what is no failure (help and version were asked for). */
export function failureOf(error: unknown): Failure | null {
  if (error instanceof CommanderError) {
    return error.exitCode === 0 ? null : { line: '', exitCode: exitCodes.usage }
  }
  if (error instanceof Error && error.name === 'AbortError') return { line: 'Stopped.', exitCode: 130 }
  const code = codeOf(error)
  if (code === 'ABORTED') return { line: oneLine(messageOf(error, code)), exitCode: 130 }
  const exitCode =
    usageCodes.has(code ?? '') || usageCodes.has(codeOf(causeOf(error)) ?? '') ? exitCodes.usage : exitCodes.failure
  return { line: oneLine(inCommandWords(messageOf(error, code))), exitCode }
}

function messageOf(error: unknown, code: string | undefined): string {
  if (!(error instanceof Error))
    return typeof error === 'string' ? error : `Something unnamed was thrown: ${JSON.stringify(error)}`
  const { path } = error as NodeJS.ErrnoException
  const system = code === undefined ? undefined : systemErrors[code]
  if (system && path !== undefined) return system(path)
  const ofWrite = code === undefined ? undefined : systemErrorsOfWrites[code]
  if (ofWrite !== undefined) return ofWrite
  if (code === 'ERR_MODULE_NOT_FOUND')
    return `A part of Enigma is not built or not installed (${error.message}). Run: npm ci && npm run build`
  // An error without a code is a defect of ours: the person needs a way to show us.
  return code === undefined ? `${error.name}: ${error.message} (ENIGMA_DEBUG=1 shows where)` : error.message
}

function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined
  return typeof code === 'string' ? code : undefined
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined
}

/** Line breaks become spaces: one failure, one line. */
export function oneLine(text: string): string {
  return text.trim().replace(/\s*\n\s*/g, ' ')
}

/** Text that another sentence can follow. */
export function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`
}

/** A file or its folder is not there. */
export function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '')
}
