// An object of the other side, as this side sees it: its methods, all asynchronous.

/** What can be called on an object, and the plain data beside it. */
export interface Shape {
  /** The object is a function. */
  readonly callable: boolean
  readonly methods: readonly string[]
  readonly values: Readonly<Record<string, unknown>>
}

/** Calls a method of the other side's object; '' calls the object itself. */
export type Call = (method: string, args: readonly unknown[]) => Promise<unknown>

/** Names that mean something to the language itself: a facade never has them. */
const reserved = new Set(['then', 'constructor', ...Object.getOwnPropertyNames(Object.prototype)])
/** More methods than this are no interface. */
const maxMethods = 1000

/** The methods of an object and its classes, and its own plain values. */
export function shapeOf(target: object): Shape {
  const methods = new Set<string>()
  const values: Record<string, unknown> = {}
  for (let level: object | null = target; level !== null && !roots.has(level); level = Object.getPrototypeOf(level)) {
    for (const key of Object.getOwnPropertyNames(level)) {
      if (reserved.has(key) || (typeof target === 'function' && key in Function.prototype)) continue
      // Accessors of classes are not run to look at them.
      if (level !== target && Object.getOwnPropertyDescriptor(level, key)?.get) continue
      const value: unknown = Reflect.get(target, key)
      if (typeof value === 'function') methods.add(key)
      else if (level === target && isPlain(value)) values[key] = value
    }
  }
  return { callable: typeof target === 'function', methods: [...methods], values }
}

const roots = new Set<object>([Object.prototype, Function.prototype])

function isPlain(value: unknown): boolean {
  return value === null || ['string', 'number', 'boolean', 'undefined'].includes(typeof value)
}

/** A shape that came over the wire, made safe. */
export function readShape(given: unknown): Shape {
  const { callable, methods, values } = (given ?? {}) as Record<string, unknown>
  const names = Array.isArray(methods) ? methods.slice(0, maxMethods) : []
  const plain = typeof values === 'object' && values !== null ? Object.entries(values) : []
  return {
    callable: callable === true,
    methods: names.filter((name): name is string => typeof name === 'string' && !reserved.has(name)),
    values: Object.fromEntries(plain.filter(([key, value]) => !reserved.has(key) && isPlain(value))),
  }
}

export function facade(shape: Shape, call: Call): unknown {
  const method =
    (name: string) =>
    (...args: unknown[]) =>
      remoteCall(call(name, args))
  const members = Object.fromEntries([
    ...Object.entries(shape.values),
    ...shape.methods.map((name): [string, unknown] => [name, method(name)]),
  ])
  return shape.callable ? Object.defineProperties(method(''), Object.getOwnPropertyDescriptors(members)) : members
}

/** A facade whose methods are not known yet: any name can be called. */
export function openFacade(call: Call): unknown {
  const known = new Map<string, unknown>()
  const method =
    (name: string) =>
    (...args: unknown[]) =>
      remoteCall(call(name, args))
  return new Proxy(method(''), {
    get(target, key) {
      if (typeof key !== 'string' || reserved.has(key)) return Reflect.get(key === 'then' ? {} : target, key)
      if (!known.has(key)) known.set(key, method(key))
      return known.get(key)
    },
  })
}

/** The method of an object that the other side may call. @throws TypeError */
export function methodOf(target: unknown, name: string): (...args: unknown[]) => unknown {
  const owner = target as Record<string, unknown>
  const hidden = reserved.has(name) || (typeof target === 'function' && name in Function.prototype)
  const found = name === '' ? target : hidden ? undefined : owner[name]
  if (typeof found !== 'function') throw new TypeError(`It has no method '${name.slice(0, 100)}'.`)
  return (...args) => Reflect.apply(found, name === '' ? undefined : target, args) as unknown
}

/** A promise that can be iterated: `for await (const piece of service.stream())` works as it does within one process. */
class RemoteCall extends Promise<unknown> implements AsyncIterable<unknown> {
  static override get [Symbol.species](): PromiseConstructor {
    return Promise
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<unknown> {
    yield* (await this) as AsyncIterable<unknown>
  }
}

function remoteCall(answer: Promise<unknown>): RemoteCall {
  return new RemoteCall((resolve) => resolve(answer))
}
