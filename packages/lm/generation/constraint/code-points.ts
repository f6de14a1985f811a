import type { ByteRange, Language, Languages } from './language.js'

/** Code points from one to another, both included. */
export type CodePoints = readonly [from: number, to: number]

const lastCodePoint = 0x10ffff

/** What these do not have; sorted. */
export function complement(ranges: readonly CodePoints[]): CodePoints[] {
  const result: CodePoints[] = []
  let next = 0
  for (const [from, to] of [...ranges].sort((a, b) => a[0] - b[0])) {
    if (from > next) result.push([next, from - 1])
    next = Math.max(next, to + 1)
  }
  if (next <= lastCodePoint) result.push([next, lastCodePoint])
  return result
}

/** What both have. */
export function intersection(a: readonly CodePoints[], b: readonly CodePoints[]): CodePoints[] {
  return a.flatMap(([from, to]) =>
    b.flatMap(([start, end]): CodePoints[] =>
      Math.max(from, start) <= Math.min(to, end) ? [[Math.max(from, start), Math.min(to, end)]] : [],
    ),
  )
}

/** Code points of equal UTF-8 length and the surrogates, which UTF-8 has no bytes for, cut out. */
const lengths: readonly CodePoints[] = [
  [0, 0x7f],
  [0x80, 0x7ff],
  [0x800, 0xd7ff],
  [0xe000, 0xffff],
  [0x10000, lastCodePoint],
]

/** One of some code points, as UTF-8. */
export function utf8(languages: Languages, ranges: readonly CodePoints[]): Language {
  return languages.either(...intersection(ranges, lengths).flatMap((range) => sequences(range).map(toLanguage)))

  function toLanguage(bytes: readonly ByteRange[]): Language {
    return languages.sequence(...bytes.map((range) => languages.byte(range)))
  }
}

/**
 * Code points of one UTF-8 length as sequences of byte ranges (the way of Rust's `utf8-ranges`): a range is cut until each byte before the last that
 * differs is followed by all continuation bytes.
 */
function sequences([from, to]: CodePoints): ByteRange[][] {
  for (let bits = 6; bits <= 18; bits += 6) {
    const mask = (1 << bits) - 1
    if (from >> bits === to >> bits || from <= 0x7f) continue
    if (from & mask) return [...sequences([from, from | mask]), ...sequences([(from | mask) + 1, to])]
    if ((to & mask) !== mask) return [...sequences([from, (to & ~mask) - 1]), ...sequences([to & ~mask, to])]
  }
  const [low, high] = [encode(from), encode(to)]
  return [low.map((byte, place) => [byte, high[place]!] as const)]
}

function encode(codePoint: number): number[] {
  return Array.from(new TextEncoder().encode(String.fromCodePoint(codePoint)))
}
