import type { Health } from '../define.js'
import { messageOf } from '../errors.js'
import type { EventBus } from '../events/events.js'
import type { ModuleLife } from '../lifecycle/life.js'
import type { ModuleRecord } from '../lifecycle/record.js'

// How modules are, by their own word. A module that says it is unwell is only reported: it may serve others as well as it can,
// and it alone knows better. One that can no longer work says so by `ctx.fail`, and is started again if its manifest asks for it.

/** What is known of a module's health. */
export interface HealthRecord extends Health {
  /** Since when it is in this status, ISO 8601. */
  readonly since: string
  /** When it was asked last, ISO 8601, and how long it took to answer. */
  readonly asked: string
  readonly responseMs: number
  /** Questions it failed to answer so far: threw, ran out of time, or answered with something else. */
  readonly errors: number
}

const statuses: ReadonlySet<unknown> = new Set(['healthy', 'degraded', 'unhealthy', 'unknown'])
const healthy: Health = { status: 'healthy' }

export class HealthMonitor {
  readonly #bus: EventBus
  readonly #deadline: number
  readonly #known = new Map<string, HealthRecord>()
  /** Questions that are not answered yet: a module that hangs is not asked a second time on top. */
  readonly #open = new WeakMap<ModuleLife, Promise<unknown>>()

  /** @param deadline milliseconds until a module that does not answer counts as unhealthy */
  constructor(bus: EventBus, deadline: number) {
    this.#bus = bus
    this.#deadline = deadline
  }

  /** The last answer; undefined for modules that were never asked, or have no `health`. */
  of(id: string): HealthRecord | undefined {
    return this.#known.get(id)
  }

  /** Asks one module. One that has no `health` is healthy while it is up. Never rejects. */
  async ask(record: ModuleRecord): Promise<Health> {
    if (!record.up) {
      this.#known.delete(record.id)
      return { status: 'unhealthy', message: record.error?.message ?? `it is ${record.state}` }
    }
    // Between two states it has enough to do.
    if (!record.definition?.health || record.phase !== undefined) return healthy
    const { life } = record
    const begun = performance.now()
    const answer = await this.#answer(record)
    // Gone or replaced while it thought about it.
    if (record.life !== life) return this.ask(record)
    this.#note(record.id, answer, performance.now() - begun)
    return answer.health
  }

  /** Asks all that have something to say, at the same time. */
  async poll(records: Iterable<ModuleRecord>): Promise<void> {
    const asked: Promise<Health>[] = []
    const up = new Set<string>()
    for (const record of records) {
      up.add(record.id)
      if (record.definition?.health) asked.push(this.ask(record))
    }
    for (const id of this.#known.keys()) if (!up.has(id)) this.#known.delete(id)
    await Promise.all(asked)
  }

  async #answer(record: ModuleRecord): Promise<{ health: Health; failed: boolean }> {
    const { life, definition, context, implementation } = record
    const question = this.#open.get(life!) ?? new Promise((resolve) => resolve(definition!.health!(context!, implementation)))
    this.#open.set(life!, question)
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`it did not answer in ${this.#deadline} ms`)), this.#deadline)
      timer.unref()
    })
    const forget = () => {
      if (this.#open.get(life!) === question) this.#open.delete(life!)
    }
    question.then(forget, forget)
    try {
      const given = await Promise.race([question, late])
      return isHealth(given)
        ? { health: given, failed: false }
        : { health: { status: 'unknown', message: 'its health() gave no { status, message }' }, failed: true }
    } catch (error) {
      return { health: { status: 'unhealthy', message: messageOf(error) }, failed: true }
    } finally {
      clearTimeout(timer)
    }
  }

  #note(id: string, { health, failed }: { health: Health; failed: boolean }, responseMs: number): void {
    const before = this.#known.get(id)
    const asked = new Date().toISOString()
    const since = before?.status === health.status ? before.since : asked
    const { status, message } = health
    this.#known.set(id, {
      status,
      ...(message !== undefined && { message }),
      since,
      asked,
      responseMs,
      errors: (before?.errors ?? 0) + (failed ? 1 : 0),
    })
    // Up counts as healthy until it says otherwise.
    const previous = before?.status ?? 'healthy'
    if (status !== previous) this.#bus.emit('module.health', { id, status, message, previous })
  }
}

function isHealth(given: unknown): given is Health {
  if (typeof given !== 'object' || given === null) return false
  const { status, message } = given as Partial<Health>
  return statuses.has(status) && (message === undefined || typeof message === 'string')
}
