import type { ModelConfig } from '../../config.js'
import { LmError } from '../../errors.js'
import { memoryEstimate } from '../../memory.js'
import type { Decoder } from '../decoder.js'
import type { GenerationResult } from '../generation-options.js'
import type { SequenceGeneration } from '../sequence-generation.js'
import { chooseSlot } from './choose-slot.js'
import { Job } from './job.js'
import { KeyValueSlots } from './key-value-slots.js'
import { nextStep, type Step } from './next-step.js'

export interface BatchOptions {
  /** Texts that are generated at a time; each has a slot for its keys and values. Default: 16, or what fits into 1 GiB. */
  readonly parallel?: number
  /** Texts that wait for a slot at most; one more is refused. Default 256. */
  readonly queueLimit?: number
}

export interface BatchStatus {
  /** Texts that are generated at a time. */
  readonly parallel: number
  /** Slots that have memory for keys and values; they grow with demand. */
  readonly slots: number
  /** Texts being generated. */
  readonly busy: number
  /** Texts that wait for a slot. */
  readonly waiting: number
  /** Tokens that the model has read so far, prompts and answers; those that were there already do not count. */
  readonly fed: number
}

interface Slot {
  index: number
  /** Tokens whose keys and values it holds. */
  readonly read: number[]
  job: Job | undefined
  /** Numbers of steps. */
  served: number
  freed: number
}

/** So many slots are made to keep the texts of other conversations; more only where more texts are generated at a time. */
const keptSlots = 4
const mostSlots = 16
const slotBytes = 2 ** 30
const defaultQueueLimit = 256

/** Fills in defaults. @throws LmError INVALID_OPTION naming the option, its range and the value */
export function resolveBatch(
  config: ModelConfig,
  { parallel, queueLimit }: { readonly [Option in keyof BatchOptions]: number | undefined },
): Required<BatchOptions> {
  if (parallel !== undefined && !(Number.isInteger(parallel) && parallel > 0))
    throw new LmError('INVALID_OPTION', `parallel must be a positive whole number, got ${parallel}`)
  if (queueLimit !== undefined && !(Number.isInteger(queueLimit) && queueLimit >= 0))
    throw new LmError('INVALID_OPTION', `queueLimit must be a whole number, 0 or more, got ${queueLimit}`)
  const fitting = Math.floor(slotBytes / memoryEstimate(config).inference.kvCache)
  return { parallel: parallel ?? Math.max(1, Math.min(mostSlots, fitting)), queueLimit: queueLimit ?? defaultQueueLimit }
}

/**
 * Continuous batching: texts join and leave between the steps of one loop. A step gives each text that generates its next token in one
 * execution, or reads a piece of a prompt (`next-step.ts`); slots keep what they have read (`choose-slot.ts`).
 */
export class Batch {
  readonly #slots: Slot[] = []
  readonly #kv: KeyValueSlots
  readonly #queueLimit: number
  #parallel: number
  #waiting: Job[] = []
  #steps = 0
  #fed = 0
  #previous: Step['kind'] | undefined
  /** Whom the run under way is for, and what ends it. */
  #run: { readonly slots: readonly Slot[]; readonly controller: AbortController } | undefined
  #loop: Promise<void> | undefined
  #closed = false

  constructor(decoder: Decoder, { parallel, queueLimit }: Required<BatchOptions>) {
    this.#parallel = parallel
    this.#queueLimit = queueLimit
    this.#kv = new KeyValueSlots(decoder)
  }

  get status(): BatchStatus {
    const busy = this.#slots.filter(({ job }) => job).length
    return { parallel: this.#parallel, slots: this.#slots.length, busy, waiting: this.#waiting.length, fed: this.#fed }
  }

  /**
   * Generates texts that belong together, one stream each. Leaving a stream early ends its text.
   * @param signal ends them all with what there is
   * @throws LmError QUEUE_FULL, CLOSED
   */
  generate(
    sequences: readonly SequenceGeneration[],
    signal: AbortSignal | undefined,
  ): AsyncGenerator<string, GenerationResult>[] {
    if (this.#closed) throw new LmError('CLOSED', 'The generator is closed. Create another one.')
    const jobs = sequences.map((sequence) => new Job(sequence))
    const leave = () => {
      for (const job of jobs) this.#leave(job)
    }
    if (signal?.aborted) leave()
    else this.#enter(jobs)
    signal?.addEventListener('abort', leave, { once: true })
    const left = (job: Job) => {
      this.#leave(job)
      if (jobs.every(({ ended }) => ended)) signal?.removeEventListener('abort', leave)
    }
    return jobs.map((job) => stream(job, left))
  }

  /** Ends all texts with what there is. Resolves when native code has let go of them. */
  async close(): Promise<void> {
    this.#closed = true
    for (const job of this.#jobs()) this.#leave(job)
    this.#kv.release()
    await this.#loop
  }

  #enter(jobs: readonly Job[]): void {
    const free = this.#parallel - this.#slots.filter(({ job }) => job).length
    if (this.#waiting.length >= free + this.#queueLimit)
      throw new LmError(
        'QUEUE_FULL',
        `${this.#parallel} texts are being generated and ${this.#waiting.length} wait; no more than ${this.#queueLimit} may. Try again later, or raise queueLimit.`,
      )
    this.#waiting.push(...jobs)
    this.#loop ??= this.#work()
  }

  /** Ends a text that is not finished. Its slot is free at once, and a run that is for nobody else ends. */
  #leave(job: Job): void {
    job.abort()
    this.#waiting = this.#waiting.filter((other) => other !== job)
    const slot = this.#slots.find((other) => other.job === job)
    if (!slot) return
    this.#free(slot)
    if (this.#run?.slots.every((other) => !other.job)) this.#run.controller.abort()
  }

  #free(slot: Slot): void {
    slot.job = undefined
    slot.freed = this.#steps
  }

  /** Goes on until there is nothing to do. */
  async #work(): Promise<void> {
    // Who enters together begins together.
    await undefined
    try {
      while (await this.#step());
    } catch (error) {
      for (const job of this.#jobs()) {
        job.fail(error)
        this.#leave(job)
      }
    }
    this.#loop = undefined
  }

  #jobs(): Job[] {
    return [...this.#slots.flatMap(({ job }) => job ?? []), ...this.#waiting]
  }

  /** False when there is nothing to do. */
  async #step(): Promise<boolean> {
    this.#admit()
    const active = this.#slots.filter(({ job }) => job)
    if (active.length === 0) return false
    const step = nextStep(
      active.map(({ read, served, job }) => ({ pending: job!.sequence.tokens.length - read.length, served })),
      this.#previous,
    )
    this.#previous = step.kind
    this.#steps++
    if (step.kind === 'read') await this.#read(active[step.reader]!, step.count)
    else await this.#decode(step.readers.map((index) => active[index]!))
    return true
  }

  /** Gives slots to those who wait, in order; who waits for a beginning that another one is reading lets others pass. */
  #admit(): void {
    for (const job of [...this.#waiting]) {
      const slots = this.#slots.map(({ read, job, freed }) => ({ read, freed, text: job?.sequence.tokens }))
      const busy = slots.filter(({ text }) => text).length
      if (busy >= this.#parallel) return
      if (slots.length < Math.min(this.#parallel, Math.max(keptSlots, busy + 1)))
        slots.push({ read: [], freed: 0, text: undefined })
      const choice = chooseSlot(slots, job.sequence.tokens)
      if (choice === 'wait') continue
      if (choice.slot === this.#slots.length && !this.#grow(job)) return
      this.#waiting = this.#waiting.filter((other) => other !== job)
      const slot = this.#slots[choice.slot]!
      if (choice.from !== undefined) {
        const from = this.#slots[choice.from]!
        this.#kv.copy(from.index, slot.index, choice.cached)
        slot.read.splice(0, slot.read.length, ...from.read.slice(0, choice.cached))
      } else slot.read.length = choice.cached
      slot.job = job
      slot.served = this.#steps
      job.begin(choice.cached)
    }
  }

  /** Makes a slot more, or twice as many. Where there is no memory for it, the texts make do with what there is. */
  #grow(job: Job): boolean {
    const capacity = this.#slots.length
    try {
      if (capacity === this.#kv.capacity) {
        const filled = Array.from<number>({ length: capacity })
        for (const { index, read } of this.#slots) filled[index] = read.length
        this.#kv.grow(Math.min(this.#parallel, Math.max(1, 2 * capacity)), filled)
      }
    } catch (error) {
      if (capacity > 0) this.#parallel = capacity
      else {
        this.#waiting = this.#waiting.filter((other) => other !== job)
        job.fail(error)
      }
      return false
    }
    this.#slots.push({ index: capacity, read: [], job: undefined, served: 0, freed: 0 })
    return true
  }

  async #read(slot: Slot, count: number): Promise<void> {
    slot.served = this.#steps
    const { job, read } = slot
    const tokens = job!.sequence.tokens.slice(read.length, read.length + count)
    if (!(await this.#compute([slot], (signal) => this.#kv.read(slot.index, read.length, tokens, signal)))) return
    read.push(...tokens)
    this.#fed += count
    this.#choose(slot)
  }

  async #decode(slots: readonly Slot[]): Promise<void> {
    this.#gather(slots)
    const first = Math.min(...slots.map(({ index }) => index))
    const rows = Array.from({ length: Math.max(...slots.map(({ index }) => index)) - first + 1 }, () => ({ filled: 0, token: 0 }))
    // Slots between them take part for nothing: what is written behind their end is overwritten before it is read.
    for (const { index, read } of this.#slots) if (rows[index - first]) rows[index - first]!.filled = read.length
    const tokens = slots.map(({ job, read }) => job!.sequence.tokens[read.length]!)
    for (const [place, { index }] of slots.entries()) rows[index - first]!.token = tokens[place]!
    if (!(await this.#compute(slots, (signal) => this.#kv.decode(first, rows, signal)))) return
    for (const [place, slot] of slots.entries()) {
      slot.read.push(tokens[place]!)
      this.#fed++
      this.#choose(slot)
    }
  }

  /** Moves the last text into a gap where most slots of a step would take part for nothing. */
  #gather(slots: readonly Slot[]): void {
    const places = slots.map(({ index }) => index).sort((a, b) => a - b)
    const [first, last] = [places[0]!, places.at(-1)!]
    if (last - first + 1 <= 2 * places.length) return
    const gap = places.findIndex((place, index) => place !== first + index) + first
    const here = this.#slots.find(({ index }) => index === gap)!
    const there = slots.find(({ index }) => index === last)!
    this.#kv.swap(gap, last, Math.max(here.read.length, there.read.length))
    here.index = last
    there.index = gap
  }

  /**
   * Runs the model for these slots; false when there is nothing to go on with. What fails for several is tried for each alone, so that
   * only the text that is to blame fails.
   */
  async #compute(slots: readonly Slot[], work: (signal: AbortSignal) => Promise<void>): Promise<boolean> {
    const controller = new AbortController()
    this.#run = { slots, controller }
    try {
      await work(controller.signal)
      return true
    } catch (error) {
      if (controller.signal.aborted) return false
      if (slots.length > 1) for (const slot of slots.filter(({ job }) => job)) await this.#read(slot, 1)
      else if (slots[0]!.job) {
        slots[0]!.job.fail(error)
        this.#free(slots[0]!)
      }
      return false
    } finally {
      this.#run = undefined
    }
  }

  /** The next token of a slot that has read its whole text, if nobody has ended it meanwhile. */
  #choose(slot: Slot): void {
    const { job, read, index } = slot
    if (!job || read.length < job.sequence.tokens.length) return
    job.step(this.#kv.logits(index))
    if (job.ended) this.#free(slot)
  }
}

/** @param left is told when the text has ended or its reader has gone */
async function* stream(job: Job, left: (job: Job) => void): AsyncGenerator<string, GenerationResult> {
  try {
    return yield* job.stream()
  } finally {
    left(job)
  }
}
