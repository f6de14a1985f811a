import type { Language, Languages } from './language.js'

/**
 * Some texts as UTF-8, exactly these. What they begin with in common stands once, so that a long list is read as fast as a short one: each byte
 * leaves at most as many ways on as there are bytes.
 */
export function anyText(languages: Languages, texts: readonly string[]): Language {
  const utf8 = new TextEncoder()
  const sorted = [...new Set(texts)].map((text) => utf8.encode(text)).sort((a, b) => Buffer.compare(a, b))
  return sorted.length === 0 ? languages.nothing : tree(0, sorted.length, 0)

  /** What may follow `depth` bytes that the texts from `start` to `end` have in common. */
  function tree(start: number, end: number, depth: number): Language {
    const [first, last] = [sorted[start]!, sorted[end - 1]!]
    let shared = depth
    // They are sorted: what the first and the last share, all do.
    while (shared < first.length && first[shared] === last[shared]) shared++
    const options: Language[] = []
    let at = start
    if (first.length === shared) {
      options.push(languages.end)
      at++
    }
    for (let next = at; at < end; at = next) {
      while (next < end && sorted[next]![shared] === sorted[at]![shared]) next++
      options.push(languages.sequence(languages.byte(sorted[at]![shared]!), tree(at, next, shared + 1)))
    }
    const common = Array.from(first.subarray(depth, shared), (byte) => languages.byte(byte))
    return languages.sequence(...common, languages.either(...options))
  }
}
