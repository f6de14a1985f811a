import { token } from '@enigma/kernel'

export type LogFields = Readonly<Record<string, unknown>>

/** Writes log records. Fields named like secrets (`apiKey`, `token`, `password` …) are redacted. */
export interface Logging {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** A log whose records all carry these fields. */
  child(fields: LogFields): Logging
}

export const Logging = token<Logging>('logging', '1.0')
