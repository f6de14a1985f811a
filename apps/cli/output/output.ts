import type { WriteStream } from 'node:tty'
import { createColors } from 'picocolors'
import type { Cell } from './table.js'

type Stream = NodeJS.WritableStream & { readonly isTTY?: boolean }

/**
 * Where a command speaks. Results go to stdout; notes, warnings and progress to stderr. Under `--json` stdout carries JSON and
 * nothing else; notes and progress are for people at a terminal and fall silent when they are piped.
 */
export class Output {
  readonly json: boolean
  readonly color: ReturnType<typeof createColors>
  readonly #stdout: Stream
  readonly #stderr: Stream
  #line = false

  constructor(options: { json: boolean; stdout?: Stream; stderr?: Stream }) {
    this.json = options.json
    this.#stdout = options.stdout ?? process.stdout
    this.#stderr = options.stderr ?? process.stderr
    const plain = process.env.NO_COLOR !== undefined || process.env.TERM === 'dumb'
    this.color = createColors(this.isTerminal && !plain)
  }

  /** A person reads stdout. */
  get isTerminal(): boolean {
    return this.#stdout.isTTY === true && !this.json
  }

  /** A person reads stderr, and no program reads our JSON beside it. */
  get showsProgress(): boolean {
    return this.#stderr.isTTY === true && !this.json
  }

  /** A result for people. */
  text(text: string): void {
    this.clearProgress()
    this.#stdout.write(`${text}\n`)
  }

  /** A piece of a result, as it comes. */
  piece(text: string): void {
    this.#stdout.write(text)
  }

  /** As `piece`, of text that a model wrote: what would steer a terminal is shown, not obeyed. Files and pipes get it as it is. */
  written(text: string): void {
    this.#stdout.write(this.isTerminal ? visible(text) : text)
  }

  /** A result for programs, on one line. */
  data(value: unknown): void {
    this.#stdout.write(`${JSON.stringify(value)}\n`)
  }

  /** Either of the two, as asked. `text` is only made when it is needed. */
  result(value: unknown, text: () => string): void {
    if (this.json) this.data(value)
    else this.text(text())
  }

  /** Rows under a head: JSON objects under `--json` come from `value`. */
  async table(value: unknown, head: readonly string[], rows: readonly (readonly Cell[])[]): Promise<void> {
    if (this.json) return this.data(value)
    const { table } = await import('./table.js')
    this.text(table(head, rows, this.color))
  }

  /** A remark for people; kept off stdout. */
  note(text: string): void {
    this.clearProgress()
    this.#stderr.write(`${text}\n`)
  }

  /** A remark that only a person at a terminal wants. */
  hint(text: string): void {
    if (this.showsProgress) this.note(text)
  }

  warn(text: string): void {
    this.note(this.#stderr.isTTY ? `${this.color.yellow('warning:')} ${text}` : `warning: ${text}`)
  }

  error(text: string): void {
    this.note(this.#stderr.isTTY ? `${this.color.red('error:')} ${text}` : `error: ${text}`)
  }

  /** Replaces the progress line. */
  progress(text: string): void {
    if (!this.showsProgress) return
    const width = (this.#stderr as Partial<WriteStream>).columns ?? 80
    this.#stderr.write(`\r\x1b[K${text.slice(0, width - 1)}`)
    this.#line = true
  }

  clearProgress(): void {
    if (this.#line) this.#stderr.write('\r\x1b[K')
    this.#line = false
  }
}

/** Control characters but tab and line feed become U+FFFD. */
export function visible(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, '\ufffd')
}
