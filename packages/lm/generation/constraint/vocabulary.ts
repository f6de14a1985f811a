import type { Tokenizer } from '../../tokenizer/index.js'
import type { Language, Languages } from './language.js'

/** A tokenizer's tokens as a tree of their bytes, in preorder. Special tokens are not in it: they are no text. */
export class Vocabulary {
  /** Bytes of the longest token. */
  readonly longest: number
  readonly #bytes: Uint8Array
  readonly #depth: Uint16Array
  /** The first node behind the node's own subtree. */
  readonly #end: Int32Array
  /** The tokens whose bytes end at a node. */
  readonly #tokens: readonly (readonly number[] | undefined)[]
  readonly #writable = new Uint8Array(256)

  constructor(tokenizer: Tokenizer) {
    const known = Array.from({ length: tokenizer.vocabSize }, (_, id) => id).filter(
      (id) => tokenizer.idToToken(id) !== undefined && !tokenizer.specialTokens.has(id),
    )
    const spelled = known
      .map((id) => ({ id, bytes: Buffer.from(tokenizer.tokenBytes(id)) }))
      .filter(({ bytes }) => bytes.length > 0)
      .sort((a, b) => a.bytes.compare(b.bytes))
    const [bytes, depths, ends, tokens] = [[] as number[], [] as number[], [] as number[], [] as (number[] | undefined)[]]
    const open: number[] = []
    let before = Buffer.alloc(0)
    for (const { id, bytes: spelling } of spelled) {
      const shared = sharedLength(before, spelling)
      for (const node of open.splice(shared)) ends[node] = bytes.length
      for (let depth = shared; depth < spelling.length; depth++) {
        open.push(bytes.length)
        depths.push(depth)
        tokens.push(undefined)
        bytes.push(spelling[depth]!)
      }
      const node = open.at(-1)!
      tokens[node] = [...(tokens[node] ?? []), id]
      if (spelling.length === 1) this.#writable[spelling[0]!] = 1
      before = spelling
    }
    for (const node of open) ends[node] = bytes.length
    this.longest = depths.reduce((most, depth) => Math.max(most, depth + 1), 1)
    this.#bytes = Uint8Array.from(bytes)
    this.#depth = Uint16Array.from(depths)
    this.#end = Int32Array.from(ends)
    this.#tokens = tokens
  }

  /** Whether some token is this byte alone, so that it can always be written. */
  writable(byte: number): boolean {
    return this.#writable[byte] === 1
  }

  /** Calls `visit` for each token that a language can begin with, and what may follow it. */
  walk(languages: Languages, start: Language, visit: (token: number, after: Language) => void): void {
    const states: Language[] = [start]
    for (let node = 0; node < this.#bytes.length; ) {
      const depth = this.#depth[node]!
      const state = languages.after(states[depth]!, this.#bytes[node]!)
      if (state === languages.nothing) {
        node = this.#end[node]!
        continue
      }
      states[depth + 1] = state
      for (const token of this.#tokens[node] ?? []) visit(token, state)
      node++
    }
  }

  /** The fewest tokens that spell some bytes, each of which is writable. */
  spell(text: Uint8Array): number[] {
    /** For each place, the first token of the best way from there and how many tokens it takes. */
    const best: { token: number; next: number; count: number }[] = []
    best[text.length] = { token: -1, next: -1, count: 0 }
    for (let start = text.length - 1; start >= 0; start--) {
      best[start] = { token: -1, next: -1, count: Number.POSITIVE_INFINITY }
      let [node, siblingsEnd] = [0, this.#bytes.length]
      for (let at = start; at < text.length; at++) {
        while (node < siblingsEnd && this.#bytes[node] !== text[at]) node = this.#end[node]!
        if (node >= siblingsEnd) break
        const token = this.#tokens[node]?.[0]
        const rest = best[at + 1]!
        if (token !== undefined && rest.count + 1 < best[start]!.count)
          best[start] = { token, next: at + 1, count: rest.count + 1 }
        siblingsEnd = this.#end[node]!
        node++
      }
    }
    const tokens: number[] = []
    for (let at = 0; at < text.length; at = best[at]!.next) tokens.push(best[at]!.token)
    return tokens
  }
}

function sharedLength(a: Uint8Array, b: Uint8Array): number {
  let length = 0
  while (length < a.length && length < b.length && a[length] === b[length]) length++
  return length
}
