import { TensorError } from '../errors.js'
import type { TensorInfo } from './tensor-reader.js'

/**
 * The header of a safetensors file: 8 bytes of length (little-endian), JSON of that length
 * `{name: {dtype, shape, data_offsets: [begin, end]}, "__metadata__": {string: string}}`, then the data, without gaps.
 */

/** Bytes an element takes, by the format's names of element types. */
const ELEMENT_BYTES = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  F8_E8M0: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  F64: 8,
  I64: 8,
  U64: 8,
  C64: 8,
} as const

export type SafetensorsDtype = keyof typeof ELEMENT_BYTES

/** The reference implementation's limit, against headers made to exhaust memory. */
export const MAX_HEADER_BYTES = 100_000_000

/** A tensor and where its bytes lie, counted from the end of the header. */
export interface TensorEntry extends TensorInfo {
  readonly begin: number
}

export interface SafetensorsHeader {
  readonly metadata: Readonly<Record<string, string>>
  readonly tensors: ReadonlyMap<string, TensorEntry>
}

/**
 * Parses and checks a header against the number of data bytes that follow it.
 * @throws TensorError FILE_CORRUPT, FILE_TRUNCATED: every message names the file
 */
export function parseHeader(bytes: Uint8Array, dataBytes: number, path: string): SafetensorsHeader {
  const corrupt = (what: string, cause?: unknown) => corruptFile(path, what, cause)
  const json = parseJson(bytes, corrupt)
  if (!isObject(json)) throw corrupt('its header is not a JSON object')

  const metadata: [string, string][] = []
  const entries: TensorEntry[] = []
  for (const [name, value] of Object.entries(json)) {
    if (name !== '__metadata__') {
      entries.push(parseEntry(name, value, corrupt))
      continue
    }
    if (!isObject(value)) throw corrupt('__metadata__ is not a JSON object')
    for (const [key, text] of Object.entries(value)) {
      if (typeof text !== 'string') throw corrupt(`__metadata__ "${key}" is not a string`)
      metadata.push([key, text])
    }
  }

  let end = 0
  for (const entry of [...entries].sort((a, b) => a.begin - b.begin || a.bytes - b.bytes)) {
    if (entry.begin < end) throw corrupt(`tensor "${entry.name}" overlaps the one before it`)
    if (entry.begin > end) throw corrupt(`${entry.begin - end} bytes before tensor "${entry.name}" belong to no tensor`)
    end += entry.bytes
  }
  if (end > dataBytes) {
    throw new TensorError(
      'FILE_TRUNCATED',
      `${path} is truncated: its header promises ${end} bytes of tensors, ${dataBytes} are there. Copy or download it again`,
    )
  }
  if (end < dataBytes) throw corrupt(`${dataBytes - end} bytes after the last tensor belong to none`)
  return { metadata: Object.fromEntries(metadata), tensors: new Map(entries.map((entry) => [entry.name, entry])) }
}

/** The length field and JSON of a header, padded with spaces so that the data starts at a multiple of 8 bytes. */
export function encodeHeader(
  tensors: readonly {
    readonly name: string
    readonly shape: readonly number[]
    readonly bytes: number
    readonly dtype: SafetensorsDtype
  }[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  let offset = 0
  const entries = tensors.map(({ name, dtype, shape, bytes }) => {
    const begin = offset
    offset += bytes
    return [name, { dtype, shape, data_offsets: [begin, offset] }] as const
  })
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries([['__metadata__', metadata], ...entries])))
  const length = 8 * Math.ceil(text.byteLength / 8)
  const header = new Uint8Array(8 + length).fill(0x20)
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true)
  header.set(text, 8)
  return header
}

export function corruptFile(path: string, what: string, cause?: unknown): TensorError {
  const message = `${path} is not a sound safetensors file: ${what}. Copy or download it again`
  return new TensorError('FILE_CORRUPT', message, cause === undefined ? undefined : { cause })
}

type Corrupt = (what: string, cause?: unknown) => TensorError

function parseJson(bytes: Uint8Array, corrupt: Corrupt): unknown {
  if (bytes[0] !== 0x7b) throw corrupt('its header does not start with {')
  let text: string
  let json: unknown
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    json = JSON.parse(text)
  } catch (error) {
    throw corrupt('its header is not JSON', error)
  }
  const twice = duplicateKey(text)
  if (twice !== undefined) throw corrupt(`"${twice}" occurs twice in its header`)
  return json
}

function parseEntry(name: string, value: unknown, corrupt: Corrupt): TensorEntry {
  if (!isObject(value)) throw corrupt(`tensor "${name}" is not described by a JSON object`)
  const { dtype, shape, data_offsets: offsets } = value
  if (typeof dtype !== 'string' || !isDtype(dtype)) throw corrupt(`tensor "${name}" has the unknown dtype ${shown(dtype)}`)
  if (!isCounts(shape)) throw corrupt(`tensor "${name}" has the shape ${shown(shape)}`)
  if (!isCounts(offsets) || offsets.length !== 2) throw corrupt(`tensor "${name}" has the data_offsets ${shown(offsets)}`)
  const [begin, end] = offsets as [number, number]
  const elements = shape.reduce((product, size) => product * size, 1)
  const bytes = elements * ELEMENT_BYTES[dtype]
  if (end - begin !== bytes) {
    throw corrupt(`tensor "${name}" (${dtype} [${shape.join(', ')}]) needs ${bytes} bytes, its data_offsets hold ${end - begin}`)
  }
  return { name, dtype, shape: Object.freeze(shape), elements, bytes, begin }
}

/** A value for a message: its beginning; lists in lists without end have none. */
function shown(value: unknown): string {
  try {
    return String(JSON.stringify(value)).slice(0, 200)
  } catch {
    return 'that is nested too deeply'
  }
}

/** The first key that occurs twice in one object of a text known to be JSON (JSON.parse silently keeps the last). */
function duplicateKey(text: string): string | undefined {
  const open: Set<string>[] = []
  for (let index = 0; index < text.length; index++) {
    const character = text[index]
    if (character === '{') open.push(new Set())
    else if (character === '}') open.pop()
    else if (character === '"') {
      const start = index
      for (index++; text[index] !== '"'; index++) if (text[index] === '\\') index++
      let next = index + 1
      while (/\s/.test(text[next] ?? '')) next++
      if (text[next] !== ':') continue
      const key: string = JSON.parse(text.slice(start, index + 1))
      const keys = open.at(-1)
      if (keys?.has(key)) return key
      keys?.add(key)
    }
  }
  return undefined
}

function isDtype(value: string): value is SafetensorsDtype {
  return Object.hasOwn(ELEMENT_BYTES, value)
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
