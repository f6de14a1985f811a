import { ServiceGone } from '../errors.js'
import { isThenable } from './thenable.js'
import { trackedCall } from './tracked-call.js'
import { trackedStream } from './tracked-stream.js'

// Typed services. A token names a capability and carries the type of its implementation; a slot holds the implementation
// that one module gave; a handle is what a consumer holds: it follows the slot to its successor when the provider is
// swapped or comes back, and throws `ServiceGone` when there is none.

declare const typeOf: unique symbol

/** Names a capability and, for the compiler, the interface behind it. */
export interface Token<T> {
  readonly name: string
  /** `major.minor`: a provider serves tokens of its major up to its own minor. */
  readonly version: string
  readonly [typeOf]?: T
}

/** `token<TextGeneration>('text-generation', '1.0')`. */
export function token<T>(name: string, version = '1.0'): Token<T> {
  return { name, version }
}

/** Whether a provider of `given` serves a consumer who asks for `wanted`: same major, minor not below. */
export function serves(given: Token<unknown>, wanted: Token<unknown>): boolean {
  if (given.version === wanted.version) return true
  const [givenMajor, givenMinor = 0] = given.version.split('.').map(Number)
  const [wantedMajor, wantedMinor = 0] = wanted.version.split('.').map(Number)
  return givenMajor === wantedMajor && givenMinor >= wantedMinor
}

const raw: unique symbol = Symbol('enigma.unwrap')

/**
 * The implementation behind a handle, for hot loops; anything else is returned as it is. No longer guarded, counted or
 * rebound: the caller lets go of it when the module is unloaded or swapped.
 * @throws ServiceGone when the module is gone already
 */
export function unwrap<T>(handle: T): T {
  if ((typeof handle !== 'object' && typeof handle !== 'function') || handle === null) return handle
  return (handle as T & { readonly [raw]?: T })[raw] ?? handle
}

type Callable = (...args: unknown[]) => unknown

/** A method as taken off a handle: one function per name, so that `handle.method === handle.method`. */
interface Method {
  readonly key: PropertyKey
  readonly bound: Callable
  /** Whether it answered with something to wait for; undefined before the first call. */
  waits: boolean | undefined
  /** A chain, as most services have few methods: an array for one is as large as the method. */
  readonly next: Method | undefined
}

/** One implementation given by one module, or a module's interface. */
export class ServiceSlot {
  readonly module: string
  readonly token: Token<unknown>
  /** Calls through handles so far; tells who is idle. */
  calls = 0
  /** Calls that have not settled, and streams that have not ended. */
  pending = 0
  #implementation: unknown
  #gone: string | undefined
  #hold: Promise<void> | undefined
  /** What it was when the hold began: tells methods from values meanwhile. */
  #shape: unknown
  #followed = false
  #successor: ServiceSlot | undefined
  #handle: object | undefined
  #methods: Method | undefined
  #onIdle: (() => void) | undefined

  constructor(
    module: string,
    given: Token<unknown>,
    implementation: unknown,
    /** What the module's load returned, not a service. */
    readonly isInterface: boolean,
  ) {
    this.module = module
    this.token = given
    this.#implementation = implementation
  }

  /** For the scope of the module that gave it. */
  get label(): string {
    return `provide ${this.token.name}`
  }

  undo(): void {
    this.end(`'${this.module}' was unloaded`)
  }

  get undone(): boolean {
    return this.#gone !== undefined
  }

  /** What its own module gave, wherever handles lead; undefined after `end`. */
  get own(): unknown {
    return this.#implementation
  }

  /** What handles lead to. @throws ServiceGone when there is nothing */
  get implementation(): unknown {
    return this.#live().#implementation
  }

  /** The guarded implementation, one per slot; values that are neither object nor function stand for themselves. */
  get handle(): unknown {
    if (this.#handle !== undefined) return this.#handle
    const last = this.#last()
    const implementation = last.#hold === undefined ? last.#open() : last.#shape
    if (typeof implementation === 'function') this.#handle = new Proxy(callable(this), guard)
    else if (typeof implementation === 'object' && implementation !== null) this.#handle = new Proxy(this, guard)
    else return implementation
    return this.#handle
  }

  /** Whether somebody holds a handle that leads here. */
  get held(): boolean {
    return this.#handle !== undefined || this.#followed
  }

  /** From here on handles throw, unless a successor comes. */
  end(why: string): void {
    this.#gone ??= why
    this.#implementation = undefined
  }

  /** From here on calls through handles wait for `until`; then they go to the successor, or throw. */
  hold(until: Promise<void>): void {
    this.#hold = until
    this.#shape = this.#implementation
    void until.then(() => {
      this.#hold = undefined
      this.#shape = undefined
    })
  }

  /** From here on handles lead to another slot. */
  follow(successor: ServiceSlot): void {
    if (successor === this) return
    this.#successor = successor
    successor.#followed ||= this.held
  }

  /** Waits until no call is under way, at most `ms`; answers whether that is so. */
  async drained(ms: number): Promise<boolean> {
    if (this.pending === 0) return true
    let timer: NodeJS.Timeout | undefined
    const idle = new Promise<void>((resolve) => {
      this.#onIdle = resolve
      timer = setTimeout(resolve, ms)
    })
    await idle
    clearTimeout(timer)
    this.#onIdle = undefined
    return this.pending === 0
  }

  /** What a handle answers for a name. */
  member(key: PropertyKey): unknown {
    const last = this.#last()
    if (last.#hold !== undefined) return this.#heldMember(key)
    const implementation = last.#open()
    if (key === raw) return implementation
    const value: unknown = Reflect.get(implementation, key, implementation)
    if (typeof value !== 'function' || key === 'constructor') return value
    return this.#method(key).bound
  }

  /** Calls the implementation itself, where it is a function. */
  apply(self: unknown, args: unknown[]): unknown {
    const last = this.#last()
    if (last.#hold !== undefined) return later(last.#hold, () => this.apply(self, args))
    const run = last.#open() as Callable
    last.calls++
    return last.#track(Reflect.apply(run, self, args))
  }

  // Methods are bound to the implementation (so `#private` members work) and look it up at each call, also when a consumer
  // has taken the method off the handle.
  #method(key: PropertyKey): Method {
    for (let known = this.#methods; known !== undefined; known = known.next) if (known.key === key) return known
    const method: Method = { key, bound: (...args) => this.#call(method, args), waits: undefined, next: this.#methods }
    this.#methods = method
    return method
  }

  #call(method: Method, args: unknown[]): unknown {
    const last = this.#last()
    if (last.#hold !== undefined) {
      if (method.waits === false)
        throw new ServiceGone(this.module, `it is being replaced, and '${String(method.key)}' cannot wait`)
      return later(last.#hold, () => this.#call(method, args))
    }
    const implementation = last.#open() as Record<PropertyKey, Callable>
    last.calls++
    const run = implementation[method.key]
    if (typeof run !== 'function')
      throw new TypeError(`the service of module '${last.module}' has no method '${String(method.key)}'`)
    const result = Reflect.apply(run, implementation, args)
    if (typeof result !== 'object' || result === null) {
      method.waits = false
      return result
    }
    const tracked = last.#track(result)
    method.waits = isThenable(result) || Symbol.asyncIterator in result
    return tracked
  }

  /** Counts what has not settled yet. */
  #track(result: unknown): unknown {
    if (typeof result !== 'object' || result === null) return result
    const iterable = Symbol.asyncIterator in result
    if (result instanceof Promise) {
      const counted = this.#counted(result)
      return result.constructor === Promise && !iterable ? counted : trackedCall(result, () => counted)
    }
    // What is not a promise may begin its work when it is asked for the answer: it is not asked here.
    if (isThenable(result)) {
      const stream = iterable ? () => this.#stream(result as unknown as AsyncIterable<unknown>) : undefined
      return trackedCall(result, () => this.#counted(Promise.resolve(result)), stream)
    }
    return iterable ? this.#stream(result as AsyncIterable<unknown>) : result
  }

  /** The promise handed on is the counted one, so that a rejection nobody handles is still reported. */
  #counted(promise: Promise<unknown>): Promise<unknown> {
    this.pending++
    const native = promise.constructor === Promise ? promise : new Promise((resolve) => resolve(promise))
    return native.then(
      (value: unknown) => {
        const answer = this.#track(value)
        this.#settled()
        return answer
      },
      (error: unknown) => {
        this.#settled()
        throw error
      },
    )
  }

  #stream(stream: AsyncIterable<unknown>): AsyncIterable<unknown> {
    this.pending++
    return trackedStream(stream, () => this.#settled())
  }

  #settled(): void {
    this.pending--
    if (this.pending === 0) this.#onIdle?.()
  }

  // While it is held there is nothing to look a name up in: a name stands for a method that can wait.
  #heldMember(key: PropertyKey): unknown {
    if (key === raw) throw new ServiceGone(this.module, 'it is being replaced')
    if (typeof key === 'symbol' || key === 'then') return undefined
    if (isValue(this.#last().#shape, key))
      throw new ServiceGone(this.module, `it is being replaced, and '${String(key)}' cannot wait`)
    return this.#method(key).bound
  }

  /** The end of the chain of successors; the way there is remembered. */
  #last(): ServiceSlot {
    if (this.#successor === undefined) return this
    let slot: ServiceSlot = this.#successor
    while (slot.#successor !== undefined) slot = slot.#successor
    this.#successor = slot
    return slot
  }

  #open(): object {
    if (this.#gone !== undefined) throw new ServiceGone(this.module, this.#gone)
    return this.#implementation as object
  }

  #live(): ServiceSlot {
    const last = this.#last()
    last.#open()
    if (last.#hold !== undefined) throw new ServiceGone(this.module, 'it is being replaced')
    return last
  }
}

/**
 * The promise of a call made after the hold; a stream of it where the call answers with one. What else the answer has comes as
 * promises: `stream.result` is one already.
 */
function later(hold: Promise<void>, call: () => unknown): unknown {
  const answer = hold.then(call)
  const iterable = Object.assign(answer, {
    async *[Symbol.asyncIterator]() {
      yield* (await answer) as AsyncIterable<unknown>
    },
  })
  return new Proxy(iterable, {
    get(target, key) {
      const own: unknown = Reflect.get(target, key, target)
      if (typeof own === 'function' && key !== 'constructor') return own.bind(target) as unknown
      if (own !== undefined || typeof key === 'symbol') return own
      const member = target.then((value) => (value as Record<string, unknown> | null | undefined)?.[key])
      // Whoever looks at it only (a printer, a test) has asked for nothing that could fail.
      member.catch(() => undefined)
      return member
    },
  })
}

/** Whether a name is there and is no method. Accessors are not run to look at them. */
function isValue(target: unknown, key: PropertyKey): boolean {
  for (let level = target; level !== undefined && level !== null; level = Object.getPrototypeOf(level) as unknown) {
    const found = Object.getOwnPropertyDescriptor(level, key)
    if (found) return typeof found.value !== 'function'
  }
  return false
}

// A proxy of a function needs a function as its target; the slot is found through it.
const slotKey: unique symbol = Symbol('slot')

function callable(slot: ServiceSlot): object {
  return Object.assign(() => undefined, { [slotKey]: slot })
}

function slotOf(target: object): ServiceSlot {
  return target instanceof ServiceSlot ? target : (target as { [slotKey]: ServiceSlot })[slotKey]
}

/** The traps of all handles: the target is the slot. */
const guard: ProxyHandler<object> = {
  get: (target, key) => slotOf(target).member(key),
  set(target, key, value) {
    const implementation = slotOf(target).implementation as object
    return Reflect.set(implementation, key, value, implementation)
  },
  apply: (target, self, args: unknown[]) => slotOf(target).apply(self, args),
  has: (target, key) => Reflect.has(slotOf(target).implementation as object, key),
  // A function's own properties cannot be hidden behind a proxy: those of the stand-in are shown.
  ownKeys: (target) => Reflect.ownKeys(typeof target === 'function' ? target : (slotOf(target).implementation as object)),
  getOwnPropertyDescriptor(target, key) {
    if (typeof target === 'function') return Reflect.getOwnPropertyDescriptor(target, key)
    const descriptor = Reflect.getOwnPropertyDescriptor(slotOf(target).implementation as object, key)
    return descriptor && { ...descriptor, configurable: true }
  },
  getPrototypeOf: (target) => Reflect.getPrototypeOf(slotOf(target).implementation as object),
}
