import fc from 'fast-check'

/** Numbers that break counts, sizes and offsets. */
const extremes = [0n, 1n, 7n, 31n, 255n, 65_535n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n]

/** The file with one to four changes: bits flipped, numbers overwritten, ends cut off, pieces repeated, removed or swapped. */
export function mutatedBytes(whole: Uint8Array): fc.Arbitrary<Buffer> {
  // Most of what matters lies at the beginning.
  const place = fc.oneof(fc.nat(whole.length - 1), fc.nat(Math.min(whole.length - 1, 400)))
  const length = fc.oneof(fc.nat(16), fc.nat(1000))
  const change: fc.Arbitrary<(bytes: Buffer) => Buffer> = fc.oneof(
    fc.tuple(place, fc.nat(7)).map(([at, bit]) => (bytes: Buffer) => {
      if (at < bytes.length) bytes[at]! ^= 1 << bit
      return bytes
    }),
    fc.tuple(place, fc.constantFrom(...extremes), fc.boolean()).map(([at, value, wide]) => (bytes: Buffer) => {
      if (at + 8 > bytes.length) return bytes
      if (wide) bytes.writeBigUInt64LE(value, at)
      else bytes.writeUInt32LE(Number(value & 0xffff_ffffn), at)
      return bytes
    }),
    place.map((at) => (bytes: Buffer) => bytes.subarray(0, at)),
    fc.tuple(place, length).map(
      ([at, size]) =>
        (bytes: Buffer) =>
          Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + size)]),
    ),
    fc.tuple(place, place, length).map(
      ([from, to, size]) =>
        (bytes: Buffer) =>
          Buffer.concat([bytes.subarray(0, to), bytes.subarray(from, from + size), bytes.subarray(to)]),
    ),
    fc.tuple(place, fc.uint8Array({ minLength: 1, maxLength: 16 })).map(([at, noise]) => (bytes: Buffer) => {
      bytes.set(noise.subarray(0, Math.max(0, bytes.length - at)), Math.min(at, bytes.length))
      return bytes
    }),
  )
  return fc.array(change, { minLength: 1, maxLength: 4 }).map((changes) => {
    return changes.reduce((bytes, apply) => Buffer.from(apply(bytes)), Buffer.from(whole))
  })
}

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

const hostile: readonly Json[] = [
  ...[null, true, 0, -1, 0.5, 1e9, 2 ** 53, 1e308, '', 'x', '__proto__', 'BPE', 'Unigram', 'WordPiece', 'WordLevel', 'ByteLevel'],
  ...[
    [],
    {},
    [[]],
    [null],
    [1, 2, 3],
    ['a', 'b', 'c'],
    { type: 'Sequence' },
    { type: 'ByteLevel' },
    { Regex: '(' },
    '\ud800',
    '(?<a>',
  ],
]

/** JSON with one to three values replaced by others, removed, or put under another key. */
export function mutatedJson(value: Json): fc.Arbitrary<Buffer> {
  const change = fc.record({
    way: fc.array(fc.nat(), { minLength: 1, maxLength: 4 }),
    with: fc.constantFrom(...hostile),
    how: fc.constantFrom('replace', 'remove', 'rename' as const),
  })
  return fc.array(change, { minLength: 1, maxLength: 3 }).map((changes) => {
    const copy = structuredClone(value)
    for (const { way, with: other, how } of changes) changeAt(copy, way, other, how)
    return Buffer.from(JSON.stringify(copy))
  })
}

function changeAt(value: Json, way: readonly number[], other: Json, how: string): void {
  if (typeof value !== 'object' || value === null) return
  const keys = Object.keys(value)
  if (keys.length === 0) return
  const holder = value as Record<string, Json>
  const key = keys[way[0]! % keys.length]!
  const inner = holder[key]!
  if (way.length > 1 && typeof inner === 'object' && inner !== null) {
    changeAt(inner, way.slice(1), other, how)
  } else if (Array.isArray(value) && how !== 'replace') {
    value.splice(Number(key), 1)
  } else if (how === 'replace') {
    holder[key] = structuredClone(other)
  } else {
    delete holder[key]
    const own = { value: inner, enumerable: true, configurable: true, writable: true }
    if (how === 'rename') Object.defineProperty(holder, String(other), own)
  }
}
