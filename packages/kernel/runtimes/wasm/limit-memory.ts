import { ModuleError } from '../../errors.js'

/** Bytes of a page of WebAssembly's memory. */
export const pageSize = 65_536

const memorySection = 5
const hasMaximum = 1
const memory64 = 4

/**
 * The same module with memories that cannot grow beyond `pages`: the maximum that a module declares for itself is lowered, or
 * written where there is none. `bytes` is a valid module (WebAssembly core specification 2.0, binary format, memory section).
 * @throws ModuleError `NO_RAM` when it begins with more
 */
export function limitMemory(id: string, bytes: Uint8Array, pages: number): Uint8Array<ArrayBuffer> {
  const reader = new Reader(bytes, 8)
  const parts: Uint8Array[] = [bytes.subarray(0, 8)]
  while (!reader.done) {
    const begin = reader.at
    const section = reader.byte()
    const size = reader.number()
    const body = reader.at
    reader.at = body + size
    if (section !== memorySection) parts.push(bytes.subarray(begin, reader.at))
    else {
      const limited = limitSection(id, new Reader(bytes, body), pages)
      parts.push(Uint8Array.from([memorySection, ...leb(limited.length), ...limited]))
    }
  }
  return new Uint8Array(Buffer.concat(parts))
}

function limitSection(id: string, reader: Reader, pages: number): number[] {
  const count = reader.number()
  const out = leb(count)
  for (let i = 0; i < count; i++) {
    const flags = reader.byte()
    const minimum = reader.number()
    const maximum = flags & hasMaximum ? reader.number() : pages
    if (minimum > pages || flags & memory64) {
      const needs = flags & memory64 ? 'a 64-bit memory' : `${(minimum * pageSize) / 2 ** 20} MB`
      const message = `Module '${id}' needs ${needs}, more than its limit of ${(pages * pageSize) / 2 ** 20} MB. Raise resources.ram in its module.yaml (to at most 4 GB).`
      throw new ModuleError('NO_RAM', message, { module: id })
    }
    out.push(flags | hasMaximum, ...leb(minimum), ...leb(Math.min(maximum, pages)))
  }
  return out
}

class Reader {
  readonly #bytes: Uint8Array
  at: number

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes
    this.at = at
  }

  get done(): boolean {
    return this.at >= this.#bytes.length
  }

  byte(): number {
    return this.#bytes[this.at++] ?? 0
  }

  /** An unsigned number in LEB128. */
  number(): number {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte()
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
  }
}

function leb(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  do {
    bytes.push((rest % 128) + (rest >= 128 ? 128 : 0))
    rest = Math.floor(rest / 128)
  } while (rest > 0)
  return bytes
}
