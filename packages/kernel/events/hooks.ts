import { ModuleError, messageOf } from '../errors.js'
import { isThenable } from '../lifecycle/thenable.js'
import type { HookAnswer, HookName, HookValue, Tap } from './hook-map.js'
import { checkPriority } from './priority.js'

// Hooks: a module asks, others answer. Taps run in order of priority, then of subscription; each may be asynchronous.
//
// A tap's error is the caller's business: the call rejects with `HOOK_FAILED`, which names the tap's module and keeps the cause.
//   bail       nobody after it is asked: a check that broke is not a check that passed
//   waterfall  the value is lost: half of the changes would be a value that nobody meant
//   series     those after it do not run
//   parallel   the others finish first; all failures are told
// A tap whose module leaves while it is being waited for fails the call in the same way: no call waits for what is gone.

export interface TapOptions {
  /** Higher runs first; default 0. */
  priority?: number
  /** Whose tap it is. */
  module?: string
}

interface Tapped {
  readonly run: (value: unknown) => unknown
  readonly priority: number
  readonly module: string | undefined
  /** Ends the calls that wait for this tap; undefined once it is gone. */
  waiting: Set<(error: Error) => void> | undefined
}

/** The hooks of a manager. */
export class Hooks {
  /** Replaced, never changed: a call under way keeps its list. */
  readonly #taps = new Map<string, readonly Tapped[]>()

  /**
   * Adds a function to a hook. Returns what removes it.
   * @throws ModuleError `BAD_SUBSCRIPTION`
   */
  tap<Name extends string>(name: Name, run: Tap<Name>, options: TapOptions = {}): () => void {
    if (typeof name !== 'string' || name === '' || typeof run !== 'function') {
      throw new ModuleError('BAD_SUBSCRIPTION', 'Pass the name of a hook and a function: tap(name, (value) => …).')
    }
    const { priority = 0, module } = options
    checkPriority(priority)
    const tapped: Tapped = { run: run as Tapped['run'], priority, module, waiting: new Set() }
    const list = this.#of(name)
    const at = list.findLastIndex((other) => other.priority >= priority) + 1
    this.#taps.set(name, [...list.slice(0, at), tapped, ...list.slice(at)])
    return () => this.#remove(name, tapped)
  }

  /** How many taps a hook has. */
  count(name: string): number {
    return this.#of(name).length
  }

  /**
   * Asks one after the other until one answers something else than undefined.
   * @throws ModuleError `HOOK_FAILED`
   */
  async bail<Name extends string>(
    name: Name & HookName<'bail', Name>,
    value: HookValue<Name>,
  ): Promise<HookAnswer<Name> | undefined> {
    for (const tapped of this.#of(name)) {
      const answer = await this.#ask(name, tapped, value)
      if (answer !== undefined) return answer as HookAnswer<Name>
    }
    return undefined
  }

  /**
   * Lets each tap change the value for the next; one that answers undefined leaves it as it is.
   * @throws ModuleError `HOOK_FAILED`
   */
  async waterfall<Name extends string>(
    name: Name & HookName<'waterfall', Name>,
    value: HookValue<Name>,
  ): Promise<HookValue<Name>> {
    let current: unknown = value
    for (const tapped of this.#of(name)) {
      const answer = await this.#ask(name, tapped, current)
      if (answer !== undefined) current = answer
    }
    return current as HookValue<Name>
  }

  /**
   * Runs one after the other. Returns their answers.
   * @throws ModuleError `HOOK_FAILED`
   */
  async series<Name extends string>(name: Name & HookName<'series', Name>, value: HookValue<Name>): Promise<HookAnswer<Name>[]> {
    const answers: unknown[] = []
    for (const tapped of this.#of(name)) if (tapped.waiting) answers.push(await this.#ask(name, tapped, value))
    return answers as HookAnswer<Name>[]
  }

  /**
   * Runs all at once and waits for all. Returns their answers, in order.
   * @throws ModuleError `HOOK_FAILED`; with several failures its `modules` name all and its cause is an AggregateError
   */
  async parallel<Name extends string>(
    name: Name & HookName<'parallel', Name>,
    value: HookValue<Name>,
  ): Promise<HookAnswer<Name>[]> {
    const asked: Promise<unknown>[] = []
    for (const tapped of this.#of(name)) if (tapped.waiting) asked.push(this.#ask(name, tapped, value))
    const settled = await Promise.allSettled(asked)
    const errors = settled.flatMap((result) => (result.status === 'rejected' ? [result.reason as ModuleError] : []))
    if (errors.length === 1) throw errors[0]
    if (errors.length > 1) {
      const message = errors.map((error) => error.message).join(' ')
      const modules = errors.flatMap(({ module }) => module ?? [])
      throw new ModuleError('HOOK_FAILED', message, { modules, cause: new AggregateError(errors, message) })
    }
    return settled.map((result) => (result as PromiseFulfilledResult<HookAnswer<Name>>).value)
  }

  #of(name: string): readonly Tapped[] {
    return this.#taps.get(name) ?? []
  }

  #remove(name: string, tapped: Tapped): void {
    const { waiting } = tapped
    if (waiting === undefined) return
    tapped.waiting = undefined
    const rest = this.#of(name).filter((other) => other !== tapped)
    if (rest.length > 0) this.#taps.set(name, rest)
    else this.#taps.delete(name)
    if (waiting.size === 0) return
    for (const end of waiting) end(new Error('it was removed before it had answered'))
  }

  async #ask(name: string, tapped: Tapped, value: unknown): Promise<unknown> {
    const { waiting } = tapped
    if (waiting === undefined) return undefined // removed since the call began
    try {
      const answer = tapped.run(value)
      return isThenable(answer) ? await whileThere(answer, waiting) : answer
    } catch (cause) {
      const { module } = tapped
      const who = module === undefined ? 'A tap' : `Module '${module}'`
      throw new ModuleError('HOOK_FAILED', `${who} failed in the hook '${name}': ${messageOf(cause)}`, { module, cause })
    }
  }
}

/** The answer, or the error that whoever removes the tap ends it with. */
async function whileThere(answer: PromiseLike<unknown>, waiting: Set<(error: Error) => void>): Promise<unknown> {
  let end: (error: Error) => void = () => undefined
  const gone = new Promise<never>((_, reject) => (end = reject))
  waiting.add(end)
  try {
    return await Promise.race([answer, gone])
  } finally {
    waiting.delete(end)
  }
}
