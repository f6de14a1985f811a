import { ModuleError } from '../../errors.js'

// Values as JSON and back: what structured clone knows (bytes, dates, maps, errors, undefined, big integers), and by reference
// async iterables and abort signals. Plain JSON stands for itself; anything else is `{ $: kind, … }`.

/** Where by-reference values are kept; a peer has one for each message. */
export interface References {
  /** Bytes may cross as they are (message ports copy them); otherwise base64. */
  readonly bytes: 'base64' | 'native'
  giveStream(source: Iterator<unknown> | AsyncIterator<unknown>): number
  takeStream(id: number): AsyncIterable<unknown>
  giveSignal(signal: AbortSignal): number
  takeSignal(id: number, aborted: boolean, reason: unknown): AbortSignal
}

type Json = unknown
type Tagged = Record<string, unknown> & { readonly $: string }

/** Deeper values are refused: they are cycles, or meant to exhaust the stack. */
const maxDepth = 100

/** @throws ModuleError `NOT_TRANSFERABLE` naming the place in the value */
export function encode(value: unknown, refs: References): Json {
  return encodeAt(value, refs, '', 0)
}

/** @throws ModuleError `BAD_MESSAGE` */
export function decode(value: Json, refs: References): unknown {
  return decodeAt(value, refs, 0)
}

function encodeAt(value: unknown, refs: References, at: string, depth: number): Json {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value
  if (typeof value === 'number')
    return Number.isFinite(value) && !Object.is(value, -0) ? value : { $: 'number', v: numberText(value) }
  if (value === undefined) return { $: 'undefined' }
  if (typeof value === 'bigint') return { $: 'bigint', v: String(value) }
  if (typeof value !== 'object') {
    throw notTransferable(at, `a ${typeof value}`, 'Pass data, an async iterable or an AbortSignal.')
  }
  if (depth > maxDepth) throw notTransferable(at, 'nested too deeply, or contains itself', 'Pass a flat value.')
  const inner = (item: unknown, key: string | number) => encodeAt(item, refs, at === '' ? String(key) : `${at}.${key}`, depth + 1)
  if (Array.isArray(value)) return value.map(inner)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === null) {
    const entries = Object.entries(value).map(([key, item]): [string, Json] => [key, inner(item, key)])
    return '$' in value ? { $: 'object', v: entries } : Object.fromEntries(entries)
  }
  if (ArrayBuffer.isView(value)) return { $: 'bytes', t: viewName(value), v: encodeBytes(value, refs) }
  if (value instanceof ArrayBuffer) return { $: 'bytes', t: 'ArrayBuffer', v: encodeBytes(new Uint8Array(value), refs) }
  if (value instanceof Date) return { $: 'date', v: value.getTime() }
  if (value instanceof Map) return { $: 'map', v: [...value].map(([key, item], i) => [inner(key, i), inner(item, i)]) }
  if (value instanceof Set) return { $: 'set', v: [...value].map(inner) }
  if (value instanceof URL) return { $: 'url', v: value.href }
  if (value instanceof Error) return { $: 'error', v: encodeError(value, refs, depth) }
  if (value instanceof AbortSignal) {
    const id = refs.giveSignal(value)
    return { $: 'signal', id, aborted: value.aborted, reason: value.aborted ? inner(value.reason, 'reason') : null }
  }
  const source = iteratorOf(value)
  if (source !== undefined) return { $: 'stream', id: refs.giveStream(source) }
  // An instance of a class crosses as its data, as with structured clone.
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]) => (typeof item === 'function' ? [] : [[key, inner(item, key)]])),
  )
}

function iteratorOf(value: Partial<AsyncIterable<unknown> & Iterable<unknown>>) {
  return value[Symbol.asyncIterator]?.() ?? value[Symbol.iterator]?.()
}

/** An error as data: name, message, code, stack, what caused it. */
function encodeError(error: Error, refs: References, depth: number): Json {
  const { code, module } = error as { code?: unknown; module?: unknown }
  const cause = error.cause !== undefined && depth < 8 ? causeOf(error.cause, refs, depth + 1) : undefined
  return {
    name: String(error.name),
    message: String(error.message),
    ...(typeof error.stack === 'string' && { stack: error.stack.slice(0, 8192) }),
    ...(typeof code === 'string' && { code }),
    ...(typeof module === 'string' && { module }),
    ...(cause !== undefined && { cause }),
  }
}

function causeOf(cause: unknown, refs: References, depth: number): Json {
  try {
    return encodeAt(cause, refs, 'cause', depth)
  } catch {
    return String(cause)
  }
}

function decodeAt(value: Json, refs: References, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (depth > maxDepth) throw badMessage('a value is nested too deeply')
  if (Array.isArray(value)) return value.map((item) => decodeAt(item, refs, depth + 1))
  if (!('$' in value)) {
    // `fromEntries` defines own keys: a key `__proto__` stays a key.
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, decodeAt(item, refs, depth + 1)]))
  }
  const tagged = value as Tagged
  const kind = text(tagged.$, 'a kind of value')
  const read = Object.hasOwn(decoders, kind) ? decoders[kind] : undefined
  if (read === undefined) throw badMessage(`a value of unknown kind '${kind.slice(0, 40)}'`)
  return read(tagged, refs, (item) => decodeAt(item, refs, depth + 1))
}

type Decoder = (tagged: Tagged, refs: References, inner: (value: Json) => unknown) => unknown

const decoders: Readonly<Record<string, Decoder>> = {
  undefined: () => undefined,
  number: ({ v }) => Number(text(v, 'a number')),
  bigint: ({ v }) => (typeof v === 'string' && /^-?\d{1,4096}$/.test(v) ? BigInt(v) : refuse('a big integer')),
  date: ({ v }) => new Date(typeof v === 'number' ? v : Number.NaN),
  url: ({ v }) => (typeof v === 'string' && URL.canParse(v) ? new URL(v) : refuse('a URL')),
  object: ({ v }, _, inner) => Object.fromEntries(pairs(v).map(([key, item]) => [text(key, 'a key'), inner(item)])),
  map: ({ v }, _, inner) => new Map(pairs(v).map(([key, item]) => [inner(key), inner(item)])),
  set: ({ v }, _, inner) => new Set((Array.isArray(v) ? v : refuse('a set')).map(inner)),
  bytes: ({ t, v }) => decodeBytes(text(t, 'bytes'), v),
  error: ({ v }, _, inner) => decodeError(v, inner),
  stream: ({ id }, refs) => refs.takeStream(index(id)),
  signal: ({ id, aborted, reason }, refs, inner) => refs.takeSignal(index(id), aborted === true, inner(reason)),
}

/** An error from the other side: an ordinary `Error` with the other's name, message and code; its stack stays below ours. */
function decodeError(value: Json, inner: (value: Json) => unknown): Error {
  if (typeof value !== 'object' || value === null) return refuse('an error')
  const { name, message, code, module, stack, cause } = value as Record<string, unknown>
  const Builtin = builtinErrors.find((known) => known.name === name) ?? Error
  const error: Error & { code?: string; module?: string } = new Builtin(
    text(message ?? '', 'an error'),
    cause === undefined ? undefined : { cause: inner(cause) },
  )
  if (typeof name === 'string' && error.name !== name) Object.defineProperty(error, 'name', { value: name.slice(0, 100) })
  if (typeof stack === 'string') error.stack = stack.slice(0, 8192)
  if (typeof code === 'string') error.code = code
  if (typeof module === 'string') error.module = module
  return error
}

const builtinErrors: readonly ErrorConstructor[] = [TypeError, RangeError, SyntaxError, ReferenceError, URIError, EvalError]

const views = {
  Uint8Array,
  Int8Array,
  Uint8ClampedArray,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
} as const

function viewName(view: ArrayBufferView): string {
  const name = Object.prototype.toString.call(view).slice(8, -1)
  return name in views ? name : 'Uint8Array'
}

function encodeBytes(view: ArrayBufferView, refs: References): unknown {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
  return refs.bytes === 'native'
    ? bytes.slice()
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

function decodeBytes(type: string, value: unknown): unknown {
  // A copy of its own, so that wider element types are aligned and nothing shares Node's buffer pool.
  const bytes: Uint8Array =
    value instanceof Uint8Array
      ? value
      : typeof value === 'string'
        ? new Uint8Array(Buffer.from(value, 'base64'))
        : refuse('bytes')
  if (type === 'Uint8Array') return bytes
  if (type === 'ArrayBuffer') return bytes.buffer
  const View = Object.hasOwn(views, type) ? views[type as keyof typeof views] : refuse('bytes')
  if (bytes.byteLength % View.BYTES_PER_ELEMENT !== 0) return refuse('bytes')
  return new View(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength / View.BYTES_PER_ELEMENT)
}

function pairs(value: unknown): [unknown, unknown][] {
  if (!Array.isArray(value) || value.some((pair) => !Array.isArray(pair) || pair.length !== 2)) return refuse('a map')
  return value as [unknown, unknown][]
}

/** Anything else may throw when it is made a text: the other side says what it does then. */
function text(value: unknown, what: string): string {
  return typeof value === 'string' ? value : refuse(what)
}

function index(value: unknown): number {
  return Number.isSafeInteger(value) ? (value as number) : refuse('a reference')
}

function numberText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value)
}

function refuse(what: string): never {
  throw badMessage(`${what} in another form than agreed`)
}

export function badMessage(what: string): ModuleError {
  return new ModuleError('BAD_MESSAGE', `The other side sent ${what}. Update the module, or Enigma.`)
}

function notTransferable(at: string, what: string, fix: string): ModuleError {
  const place = at === '' ? 'The value' : `'${at}'`
  return new ModuleError('NOT_TRANSFERABLE', `${place} is ${what}; it cannot leave its process. ${fix}`)
}
