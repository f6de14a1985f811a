/**
 * What the pre-tokenizer tells apart. Letters and digits are those of JavaScript's Unicode version: code points assigned since the
 * reference implementation's tables were made (Unicode 17 against 16: some 4,600 rare letters) may fall in another class there.
 */
export const Space = 1
const Letter = 2
const Digit = 3
const Other = 4

/**
 * White space as Unicode's White_Space property has it, and so the reference implementation's `\s`.
 * JavaScript's `\s` differs in two characters: it has U+FEFF and lacks U+0085.
 */
const spaces = /[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/gu
const letters = /\p{L}+/gu
const digits = /\p{N}+/gu

/** The class of every UTF-16 unit that is a character by itself; a surrogate alone is `Other`, as U+FFFD is. */
const classes = table()

/** Whether the unit at `index` is white space (all white space lies in the basic plane). */
export function isSpaceAt(text: string, index: number): boolean {
  return classes[text.charCodeAt(index)] === Space
}

/** The class of the character that starts at `index`. */
export function classAt(text: string, index: number): number {
  const unit = text.charCodeAt(index)
  if ((unit & 0xfc00) !== 0xd800) return classes[unit]!
  const point = text.codePointAt(index)!
  return point > 0xffff ? classOfAstral(point) : Other
}

function classOfAstral(point: number): number {
  const character = String.fromCodePoint(point)
  if (/\p{L}/u.test(character)) return Letter
  return /\p{N}/u.test(character) ? Digit : Other
}

function table(): Uint8Array {
  const found = new Uint8Array(65536).fill(Other)
  // The surrogates are left out: they would pair up.
  const plane = Array.from({ length: 65536 }, (_, unit) => ((unit & 0xf800) === 0xd800 ? '\0' : String.fromCharCode(unit))).join(
    '',
  )
  for (const [pattern, value] of [
    [spaces, Space],
    [letters, Letter],
    [digits, Digit],
  ] as const) {
    for (const match of plane.matchAll(pattern)) found.fill(value, match.index, match.index + match[0].length)
  }
  return found
}
