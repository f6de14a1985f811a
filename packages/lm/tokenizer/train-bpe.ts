import { setImmediate } from 'node:timers/promises'
import { LmError } from '../errors.js'
import { byteCharacters } from './byte-alphabet.js'
import { ByteBpe } from './byte-bpe.js'
import { type CountedWords, MergeLearner } from './learn-merges.js'
import { preTokenEnd } from './pre-tokens.js'
import { defaultSpecialTokens } from './special-tokens.js'
import { Tokenizer } from './tokenizer.js'
import { WordTable } from './word-table.js'

/** How far training is: bytes of text counted (total unknown), then tokens of the vocabulary made. */
export type BpeProgress =
  | { readonly phase: 'counting'; readonly bytes: number }
  | { readonly phase: 'merging'; readonly tokens: number; readonly total: number }

export interface TrainBpeOptions {
  /** The text, in pieces that end between words; lines equal to `<|endoftext|>` separate documents and are not learned from. */
  readonly texts: Iterable<string> | AsyncIterable<string>
  /** Special tokens and the 256 bytes included. */
  readonly vocabSize: number
  /** They get the first ids. Default `<|endoftext|>`, `<|im_start|>`, `<|im_end|>`. */
  readonly specialTokens?: readonly string[]
  /** Pairs rarer than this are not merged. Default 2. */
  readonly minFrequency?: number
  readonly onProgress?: (progress: BpeProgress) => void
  readonly signal?: AbortSignal
}

export interface TrainedBpe {
  readonly tokenizer: Tokenizer
  /** Sentences for the user, such as that the text could not fill the vocabulary. */
  readonly warnings: readonly string[]
}

const separatorLine = /(?<![^\n])<\|endoftext\|>(?:\r?\n|$)/
/** The event loop gets its turn this often, in ms. */
const breath = 50

/**
 * Learns a byte-level BPE. The same texts give the same tokenizer, and the one that Hugging Face `tokenizers` learns: ids are the special
 * tokens, the 256 bytes in order of their characters, then the merges, the most frequent pair first, of equals the one with the smaller ids.
 * @throws LmError INVALID_CONFIG for impossible options, DATA_EMPTY without any text; the signal's reason when aborted
 */
export async function trainBpe(options: TrainBpeOptions): Promise<TrainedBpe> {
  const { texts, vocabSize, specialTokens = defaultSpecialTokens, minFrequency = 2, onProgress, signal } = options
  const smallest = specialTokens.length + 256
  if (!Number.isSafeInteger(vocabSize) || vocabSize < smallest) {
    throw new LmError(
      'INVALID_CONFIG',
      `A vocabulary of ${vocabSize} is too small: the 256 bytes and ${specialTokens.length} special tokens need ${smallest}`,
    )
  }
  if (new Set(specialTokens).size !== specialTokens.length || specialTokens.some((token) => [...token].length < 2)) {
    throw new LmError('INVALID_CONFIG', 'Special tokens must differ and have at least two characters each')
  }
  const pause = pacer(signal)

  const words = await countWords(texts, pause, onProgress)
  const utf8 = new TextEncoder()
  const tokens = specialTokens.map((token) => utf8.encode(token))
  const specials = new Map(specialTokens.map((token, id) => [id, token]))
  const idOfByte = new Int32Array(256)
  for (const byte of byteOrder()) {
    idOfByte[byte] = tokens.length
    tokens.push(Uint8Array.of(byte))
  }

  const learner = new MergeLearner(spellWords(words, idOfByte))
  // A token's bytes, as a latin1 string, to its id: two pairs may spell the same token. Special tokens are not in it.
  const idOfSpelling = new Map(tokens.slice(specials.size).map((bytes, index) => [latin1(bytes), specials.size + index]))
  const merges: [number, number, number][] = []
  const known = new Set<string>()
  while (tokens.length < vocabSize) {
    const pair = learner.next(minFrequency)
    if (!pair) break
    const { left, right } = pair
    const bytes = Buffer.concat([tokens[left]!, tokens[right]!])
    const spelling = latin1(bytes)
    let id = idOfSpelling.get(spelling)
    if (id === undefined) {
      id = tokens.push(Uint8Array.from(bytes)) - 1
      idOfSpelling.set(spelling, id)
    }
    // A pair can come back when one of its tokens is spelled by another pair as well; its rule stands already.
    const rule = `${left} ${right}`
    if (!known.has(rule)) {
      known.add(rule)
      merges.push([left, right, id])
    }
    learner.merge(left, right, id)
    await pause(() => onProgress?.({ phase: 'merging', tokens: tokens.length, total: vocabSize }))
  }
  onProgress?.({ phase: 'merging', tokens: tokens.length, total: vocabSize })

  const warnings: string[] = []
  if (tokens.length < vocabSize) {
    warnings.push(
      `The text fills a vocabulary of ${tokens.length} tokens, not ${vocabSize}: no other pair occurs ${minFrequency} times. ` +
        'More text, or a smaller vocabulary, is the remedy',
    )
  }
  return { tokenizer: new Tokenizer(new ByteBpe({ tokens, merges, specials })), warnings }
}

interface WordCounts {
  readonly words: WordTable
  readonly counts: readonly number[]
}

async function countWords(
  texts: TrainBpeOptions['texts'],
  pause: Pause,
  onProgress?: (progress: BpeProgress) => void,
): Promise<WordCounts> {
  const words = new WordTable()
  const counts: number[] = []
  let bytes = 0
  for await (const piece of texts) {
    for (const text of piece.includes('<|endoftext|>') ? piece.split(separatorLine) : [piece]) {
      for (let start = 0; start < text.length; ) {
        const end = preTokenEnd(text, start)
        const word = words.intern(text, start, end)
        if (word === counts.length) counts.push(1)
        else counts[word]!++
        start = end
      }
    }
    bytes += Buffer.byteLength(piece)
    await pause(() => onProgress?.({ phase: 'counting', bytes }))
  }
  if (counts.length === 0) throw new LmError('DATA_EMPTY', 'There is no text to train a tokenizer on')
  onProgress?.({ phase: 'counting', bytes })
  return { words, counts }
}

function spellWords({ words, counts }: WordCounts, idOfByte: Int32Array): CountedWords {
  const utf8 = new TextEncoder()
  const starts = new Float64Array(counts.length + 1)
  let ids = new Int32Array(1 << 16)
  for (let word = 0; word < counts.length; word++) {
    const bytes = utf8.encode(words.text(word))
    const start = starts[word]!
    const end = start + bytes.length
    if (end > ids.length) {
      const larger = new Int32Array(Math.max(end, ids.length * 2))
      larger.set(ids)
      ids = larger
    }
    for (let i = 0; i < bytes.length; i++) ids[start + i] = idOfByte[bytes[i]!]!
    starts[word + 1] = end
  }
  return { ids, starts, counts: Float64Array.from(counts) }
}

/** Bytes in the order of the characters they are written with: the reference implementation's order of ids. */
function byteOrder(): number[] {
  return byteCharacters
    .map((character, byte) => ({ character, byte }))
    .sort((a, b) => a.character.charCodeAt(0) - b.character.charCodeAt(0))
    .map(({ byte }) => byte)
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

type Pause = (report: () => void) => Promise<void> | undefined

/** Now and then: reports, lets the event loop run, stops when aborted. */
function pacer(signal?: AbortSignal): Pause {
  signal?.throwIfAborted()
  let last = performance.now()
  return (report) => {
    if (performance.now() - last < breath) return undefined
    report()
    return setImmediate().then(() => {
      signal?.throwIfAborted()
      last = performance.now()
    })
  }
}
