import type { TrainingJobStatus, TrainingReport, TrainingResult } from '@enigma/contracts'
import type { ModuleContext } from '@enigma/kernel'
import type { TrainEvent, TrainOptions, TrainResult } from '@enigma/lm'
import { EventFeed } from './event-feed.js'
import { TrainingProcess } from './training-process.js'
import type { TrainingJobView } from './types.js'

export type JobEvents = Pick<ModuleContext['events'], 'emit' | 'emitAsync'>

export interface JobOptions {
  readonly nice: number
  readonly events: JobEvents
  readonly signal?: AbortSignal | undefined
  /** The program that trains, for `TrainingProcess`. */
  readonly worker?: URL | undefined
}

/** One training under way: its process, what it said last, and who listens. */
export class Job implements TrainingJobView {
  readonly id: string
  readonly done: Promise<TrainingResult>
  readonly #out: string
  readonly #process: TrainingProcess
  readonly #events: JobEvents
  readonly #feed = new EventFeed<TrainEvent>()
  readonly #started = new Date().toISOString()
  #state: TrainingJobStatus['state'] = 'running'
  #step = 0
  #steps: number | undefined
  #loss: number | undefined
  #message: string | undefined

  constructor(id: string, train: Omit<TrainOptions, 'signal'>, { nice, events, signal, worker }: JobOptions) {
    this.id = id
    this.#out = train.out
    this.#events = events
    this.#process = new TrainingProcess(train, { nice, onEvent: (event) => this.#hear(event), ...(worker && { worker }) })
    const stop = () => void this.stop()
    signal?.addEventListener('abort', stop, { once: true })
    this.done = this.#finish().finally(() => signal?.removeEventListener('abort', stop))
    // Who listens to the events only must not bring the process down.
    this.done.catch(() => undefined)
    if (signal?.aborted) stop()
  }

  get status(): TrainingJobStatus {
    return {
      id: this.id,
      out: this.#out,
      state: this.#state,
      step: this.#step,
      steps: this.#steps,
      loss: this.#loss,
      pid: this.#process.pid,
      started: this.#started,
      message: this.#message,
    }
  }

  events(): AsyncIterable<TrainEvent> {
    return this.#feed.read()
  }

  /** Ends as `done` does: a failed training throws here too, after its last report. */
  [Symbol.asyncIterator](): AsyncGenerator<TrainingReport, void> {
    return this.#reports(this.#feed.read())
  }

  async stop(): Promise<void> {
    if (this.#state === 'running') {
      this.#state = 'stopping'
      this.#process.stop()
    }
    await this.done.catch(() => undefined)
  }

  /** Ends the process at once, without a checkpoint. */
  kill(): void {
    this.#process.kill()
  }

  async *#reports(events: AsyncIterable<TrainEvent>): AsyncGenerator<TrainingReport, void> {
    for await (const event of events) if (event.type === 'report') yield this.#report(event)
    await this.done
  }

  async #finish(): Promise<TrainingResult> {
    try {
      const result = resultOf(await this.#process.done)
      this.#state = result.finishReason
      this.#step = result.steps
      this.#loss = result.loss
      this.#events.emit('training.finished', { ...result, id: this.id })
      return result
    } catch (error) {
      this.#state = 'failed'
      this.#message = error instanceof Error ? error.message : String(error)
      this.#events.emit('training.failed', { id: this.id, message: this.#message })
      throw error
    } finally {
      this.#feed.end()
    }
  }

  #hear(event: TrainEvent): void {
    const { id } = this
    if (event.type === 'start') {
      this.#step = event.step
      this.#steps = event.steps
      this.#events.emit('training.started', { id, out: this.#out, steps: event.steps })
    } else if (event.type === 'report') {
      this.#step = event.step
      this.#loss = event.loss
      this.#events.emit('training.report', { ...this.#report(event), id })
    } else if (event.type === 'epoch-start') {
      this.#events.emit('EpochStart', { epoch: event.epoch })
    } else if (event.type === 'epoch-end') {
      this.#events.emit('EpochEnd', { epoch: event.epoch, loss: event.loss })
    }
    this.#events.emit('training.event', { id, event })
    this.#feed.push(event)
  }

  #report({ step, loss, bitsPerByte, learningRate, tokensPerSecond, gradNorm }: TrainEvent & { type: 'report' }): TrainingReport {
    const steps = this.#steps === undefined ? {} : { steps: this.#steps }
    return { step, loss, bitsPerByte, learningRate, tokensPerSecond, gradientNorm: gradNorm, ...steps }
  }
}

function resultOf({ folder, step, loss, bitsPerByte, stopped }: TrainResult): TrainingResult {
  const validated = bitsPerByte === null ? {} : { bitsPerByte }
  return { steps: step, loss, folder, finishReason: stopped ? 'stopped' : 'done', ...validated }
}
