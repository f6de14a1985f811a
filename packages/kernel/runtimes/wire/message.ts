import type { Signals } from './signals.js'
import { type GivenStreams, type Request, TakenStream } from './streams.js'
import type { References } from './values.js'

/** What messages of one peer share. */
export interface Wire {
  readonly bytes: 'base64' | 'native'
  readonly streams: GivenStreams
  readonly signals: Signals
  readonly request: Request
}

/** The references in one call, its parameters and its answer: signals live as long as the call and the streams that came of it. */
export class Message implements References {
  readonly #wire: Wire
  readonly #release: (() => void)[] = []
  #streams = 0
  #settled = false

  constructor(wire: Wire) {
    this.#wire = wire
  }

  get bytes(): 'base64' | 'native' {
    return this.#wire.bytes
  }

  giveStream(source: Iterator<unknown> | AsyncIterator<unknown>): number {
    this.#streams++
    return this.#wire.streams.give(source, () => this.#ended())
  }

  takeStream(id: number): AsyncIterable<unknown> {
    this.#streams++
    return new TakenStream(this.#wire.request, id, () => this.#ended())
  }

  giveSignal(signal: AbortSignal): number {
    const { id, stop } = this.#wire.signals.follow(signal)
    this.#release.push(stop)
    return id
  }

  takeSignal(id: number, aborted: boolean, reason: unknown): AbortSignal {
    const { controller, stop } = this.#wire.signals.standIn(id)
    if (aborted) controller.abort(reason)
    this.#release.push(stop)
    return controller.signal
  }

  /** The call is answered; what belongs to it goes once its streams have ended. */
  settle(): void {
    this.#settled = true
    this.#free()
  }

  #ended(): void {
    this.#streams--
    this.#free()
  }

  #free(): void {
    if (!this.#settled || this.#streams > 0) return
    for (const release of this.#release.splice(0)) release()
  }
}
