import type { LogFields, Logging } from '@enigma/contracts'
import { enigmaFolders, RotatingFile } from '@enigma/files'
import { parseSize } from '@enigma/kernel'
import { type Logger as Pino, pino, stdTimeFunctions } from 'pino'
import { consoleLine } from './console-line.js'
import { redactFields, redactText } from './redact.js'
import type { Level, LoggerConfig, LoggerService, LoggerStatus } from './types.js'

/** Writes records through pino to stderr and to a rotating file. */
export class Logger implements LoggerService {
  readonly #config: LoggerConfig
  readonly #file: RotatingFile | undefined
  readonly #pino: Pino
  #level: Level
  #written = 0

  /** @throws the system's error when the folder cannot be written to */
  constructor(config: LoggerConfig) {
    this.#config = config
    this.#level = config.level
    // The manifest's pattern has checked the size.
    this.#file = config.file
      ? new RotatingFile(config.folder || enigmaFolders().logs, 'enigma.log', parseSize(config.maxSize)!, config.maxFiles)
      : undefined
    const options = { level: config.level, base: null, timestamp: stdTimeFunctions.isoTime }
    this.#pino = pino(options, { write: (line) => this.#out(line) })
  }

  debug(message: string, fields?: LogFields): void {
    this.write('debug', message, fields)
  }

  info(message: string, fields?: LogFields): void {
    this.write('info', message, fields)
  }

  warn(message: string, fields?: LogFields): void {
    this.write('warn', message, fields)
  }

  error(message: string, fields?: LogFields): void {
    this.write('error', message, fields)
  }

  child(fields: LogFields): Logging {
    const write = (level: Level) => (message: string, more?: LogFields) => this.write(level, message, { ...fields, ...more })
    return {
      debug: write('debug'),
      info: write('info'),
      warn: write('warn'),
      error: write('error'),
      child: (more) => this.child({ ...fields, ...more }),
    }
  }

  write(level: Level, message: string, fields?: LogFields): void {
    if (!this.#pino.isLevelEnabled(level)) return
    if (fields === undefined) this.#pino[level](redactText(message))
    else this.#pino[level](redactFields(fields), redactText(message))
  }

  setLevel(level: Level): void {
    this.#level = level
    this.#pino.level = level
  }

  status(): LoggerStatus {
    const file = this.#file
    return {
      level: this.#level,
      console: this.#config.console,
      file: file?.path,
      size: file?.size ?? 0,
      rotated: file?.rotated ?? [],
      written: this.#written,
      problem: file?.problem,
    }
  }

  close(): void {
    this.#file?.close()
  }

  #out(line: string): void {
    this.#written++
    const before = this.#file?.problem
    this.#file?.write(line)
    const problem = this.#file?.problem
    if (this.#config.console) {
      process.stderr.write(this.#config.format === 'json' ? line : consoleLine(line, process.stderr.isTTY === true))
    }
    // Said once, when it begins.
    if (problem !== undefined && before === undefined)
      process.stderr.write(`The log file ${this.#file!.path} cannot be written: ${problem}\n`)
  }
}
