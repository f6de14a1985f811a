import type { Logging } from '@enigma/contracts'

export type Level = 'debug' | 'info' | 'warn' | 'error'

/** The config of `module.yaml`, defaults filled in. */
export interface LoggerConfig {
  readonly level: Level
  readonly console: boolean
  readonly format: 'text' | 'json'
  readonly file: boolean
  readonly folder?: string
  readonly maxSize: string
  readonly maxFiles: number
}

export interface LoggerStatus {
  readonly level: Level
  readonly console: boolean
  /** The current file; undefined when only the console is written. */
  readonly file: string | undefined
  /** Bytes in the current file. */
  readonly size: number
  /** Rotated files, newest first. */
  readonly rotated: readonly string[]
  /** Records written since the load. */
  readonly written: number
  /** Why files are not written at the moment. */
  readonly problem: string | undefined
}

/** What `getInterface('logger')` gives. */
export interface LoggerService extends Logging {
  status(): LoggerStatus
}

declare module '@enigma/kernel' {
  interface ModuleInterfaces {
    logger: LoggerService
  }
}
