import { ModuleError, ServiceGone } from '../errors.js'

// Typed services: a token names a capability and carries the type of its implementation; a handle is what a consumer
// holds, and it stops working when the module behind it goes.

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

const raw: unique symbol = Symbol('enigma.unwrap')

/**
 * The implementation behind a handle, for hot loops; anything else is returned as it is. No longer guarded: the caller
 * lets go of it when the module is unloaded.
 * @throws ServiceGone when the module is gone already
 */
export function unwrap<T>(handle: T): T {
  if ((typeof handle !== 'object' && typeof handle !== 'function') || handle === null) return handle
  return (handle as T & { readonly [raw]?: T })[raw] ?? handle
}

/** One implementation given by one module, or a module's interface. */
export class ServiceSlot {
  readonly module: string
  readonly token: Token<unknown>
  #implementation: unknown
  #gone: string | undefined
  #handle: object | undefined

  constructor(module: string, given: Token<unknown>, implementation: unknown) {
    this.module = module
    this.token = given
    this.#implementation = implementation
  }

  /** @throws ServiceGone after `end` */
  get implementation(): unknown {
    if (this.#gone !== undefined) throw new ServiceGone(this.module, this.#gone)
    return this.#implementation
  }

  /** The guarded implementation, one per slot; values that are neither object nor function stand for themselves. */
  get handle(): unknown {
    if (this.#handle !== undefined) return this.#handle
    const implementation = this.implementation
    if (typeof implementation !== 'object' && typeof implementation !== 'function') return implementation
    if (implementation === null) return implementation
    return (this.#handle = new Proxy(typeof implementation === 'function' ? () => undefined : {}, new Guard(this)))
  }

  /** From here on handles throw. */
  end(why: string): void {
    this.#gone = why
    this.#implementation = undefined
  }
}

type Callable = (...args: unknown[]) => unknown

/** The traps of a handle; methods on a prototype, as there is one handle per service. */
class Guard implements ProxyHandler<object> {
  readonly #slot: ServiceSlot
  #methods: Map<PropertyKey, { of: unknown; bound: Callable }> | undefined

  constructor(slot: ServiceSlot) {
    this.#slot = slot
  }

  // Methods are bound to the implementation (so `#private` members work) and check the slot at each call, also when a
  // consumer has taken the method off the handle.
  get(_: object, key: PropertyKey): unknown {
    const current = this.#current
    if (key === raw) return current
    const value: unknown = Reflect.get(current, key, current)
    if (typeof value !== 'function' || key === 'constructor') return value
    const known = this.#methods?.get(key)
    if (known?.of === value) return known.bound
    const bound: Callable = (...args) => Reflect.apply(value, this.#current, args)
    this.#methods ??= new Map()
    this.#methods.set(key, { of: value, bound })
    return bound
  }

  set(_: object, key: PropertyKey, value: unknown): boolean {
    const current = this.#current
    return Reflect.set(current, key, value, current)
  }

  apply(_: object, self: unknown, args: unknown[]): unknown {
    return Reflect.apply(this.#current as Callable, self, args)
  }

  has(_: object, key: PropertyKey): boolean {
    return Reflect.has(this.#current, key)
  }

  // A function's own properties cannot be hidden behind a proxy: those of the stand-in are shown.
  ownKeys(target: object): (string | symbol)[] {
    return Reflect.ownKeys(typeof target === 'function' ? target : this.#current)
  }

  getOwnPropertyDescriptor(target: object, key: PropertyKey): PropertyDescriptor | undefined {
    if (typeof target === 'function') return Reflect.getOwnPropertyDescriptor(target, key)
    const descriptor = Reflect.getOwnPropertyDescriptor(this.#current, key)
    return descriptor && { ...descriptor, configurable: true }
  }

  getPrototypeOf(): object | null {
    return Reflect.getPrototypeOf(this.#current)
  }

  get #current(): object {
    return this.#slot.implementation as object
  }
}

/** All services of one manager, by capability. */
export class ServiceRegistry {
  readonly #slots = new Map<string, ServiceSlot[]>()

  /** @throws ModuleError `SERVICE_TAKEN` when the module has given one for this token already */
  provide(module: string, given: Token<unknown>, implementation: unknown): ServiceSlot {
    const slot = new ServiceSlot(module, given, implementation)
    const list = this.#slots.get(given.name)
    if (list === undefined) this.#slots.set(given.name, [slot])
    else if (list.some((other) => other.module === module)) {
      const message = `Module '${module}' has given '${given.name}' already. Provide each token once.`
      throw new ModuleError('SERVICE_TAKEN', message, { module })
    } else list.push(slot)
    return slot
  }

  withdraw(slot: ServiceSlot, why: string): void {
    slot.end(why)
    const list = this.#slots.get(slot.token.name)
    if (list === undefined) return
    if (list.length === 1) this.#slots.delete(slot.token.name)
    else list.splice(list.indexOf(slot), 1)
  }

  of(capability: string): readonly ServiceSlot[] {
    return this.#slots.get(capability) ?? []
  }
}

/** Whether a provider of `given` serves a consumer who asks for `wanted`: same major, minor not below. */
export function serves(given: Token<unknown>, wanted: Token<unknown>): boolean {
  if (given.version === wanted.version) return true
  const [givenMajor, givenMinor = 0] = given.version.split('.').map(Number)
  const [wantedMajor, wantedMinor = 0] = wanted.version.split('.').map(Number)
  return givenMajor === wantedMajor && givenMinor >= wantedMinor
}
