import { appendFile, readFile } from 'node:fs/promises'
import { writeAtomic } from '@enigma/tensor/formats'

/**
 * What a run measured, one JSON object a line, each with its `step`: `trainer/metrics.jsonl`. Losing a line must not end a run,
 * so a file that cannot be written is reported once and then left alone.
 */
export class MetricsLog {
  readonly #path: string
  readonly #onWarning: (message: string) => void
  #broken = false

  constructor(path: string, onWarning: (message: string) => void) {
    this.#path = path
    this.#onWarning = onWarning
  }

  /** Drops what a run wrote after the step it now goes on from. */
  async cutAfter(step: number): Promise<void> {
    const text = await readFile(this.#path, 'utf8').catch(() => undefined)
    if (text === undefined) return
    const kept = text.split('\n').filter((line) => stepOf(line) <= step)
    await this.#attempt(() => writeAtomic(this.#path, kept.map((line) => `${line}\n`).join('')))
  }

  async append(entry: Readonly<Record<string, unknown>> & { readonly step: number }): Promise<void> {
    await this.#attempt(() => appendFile(this.#path, `${JSON.stringify(entry)}\n`))
  }

  async #attempt(write: () => Promise<unknown>): Promise<void> {
    if (this.#broken) return
    try {
      await write()
    } catch (error) {
      this.#broken = true
      this.#onWarning(`Metrics are no longer written to ${this.#path}: ${(error as Error).message}`)
    }
  }
}

/** The step of a line; Infinity for a line that was cut short by a crash. */
function stepOf(line: string): number {
  try {
    const { step } = JSON.parse(line) as { step?: unknown }
    return typeof step === 'number' ? step : Number.POSITIVE_INFINITY
  } catch {
    return Number.POSITIVE_INFINITY
  }
}
