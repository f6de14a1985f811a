import { LmError } from '../errors.js'
import { tokenToBytes } from './byte-alphabet.js'
import type { ByteBpeModel } from './byte-bpe.js'
import type { TokenizerJson } from './tokenizer-json.js'

/** An object out of JSON, or undefined. */
export function asObject(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
}

/** A special or otherwise added token of `tokenizer.json`. */
export interface AddedToken {
  readonly id: number
  readonly content: string
  readonly special: boolean
  /** Whether it matches exactly as it is spelled, taking no white space along. */
  readonly exact: boolean
}

/**
 * The added tokens of a `tokenizer.json`, in order of id.
 * @throws LmError TOKENIZER_INVALID
 */
export function readAddedTokens(json: TokenizerJson): AddedToken[] {
  const given = json.added_tokens ?? []
  if (!Array.isArray(given)) throw invalid('added_tokens is not a list')
  const tokens = given.map((entry: unknown, index) => {
    const token = asObject(entry)
    const { id, content } = token ?? {}
    if (!isId(id) || typeof content !== 'string' || content === '') {
      throw invalid(`added token ${index} needs an id (a whole number) and a content (text)`)
    }
    const exact = !token?.single_word && !token?.lstrip && !token?.rstrip
    return { id, content, special: token?.special === true, exact }
  })
  return tokens.sort((a, b) => a.id - b.id)
}

/**
 * The byte-level BPE that a `tokenizer.json` describes; undefined where it describes something else (another model, normalizer,
 * pre-tokenizer …).
 * @throws LmError TOKENIZER_INVALID where it is a byte-level BPE, but broken
 */
export function readByteBpe(json: TokenizerJson): ByteBpeModel | undefined {
  const model = asObject(json.model)
  if (!model || !isPlainByteLevel(json) || !isPlainBpe(model)) return undefined
  const added = readAddedTokens(json)
  if (added.some(({ special, exact }) => !special || !exact)) return undefined

  const vocab = asObject(model.vocab)
  if (!vocab) throw invalid('model.vocab is not an object')
  const ids = new Map<string, number>()
  for (const [token, id] of Object.entries(vocab)) {
    if (!isId(id)) throw invalid(`model.vocab gives the token ${JSON.stringify(token)} the id ${JSON.stringify(id)}`)
    ids.set(token, id)
  }
  const specials = new Map(added.map(({ id, content }) => [id, content]))
  const tokens = tokenBytes(ids, specials)
  if (!tokens) return undefined
  const bytes = new Set(tokens.flatMap((token, id) => (token.length === 1 && !specials.has(id) ? [token[0]] : [])))
  if (bytes.size < 256) throw invalid(`model.vocab lacks ${256 - bytes.size} of the 256 single bytes`)
  return { tokens, merges: readMerges(model.merges, ids), specials }
}

/** The bytes of all tokens by id; undefined where the ids have holes or twins. */
function tokenBytes(ids: ReadonlyMap<string, number>, specials: ReadonlyMap<number, string>): Uint8Array[] | undefined {
  const names = new Map([...specials].map(([id, content]) => [id, content]))
  for (const [token, id] of ids) {
    if ((names.get(id) ?? token) !== token) return undefined
    names.set(id, token)
  }
  const utf8 = new TextEncoder()
  const tokens: Uint8Array[] = []
  for (let id = 0; id < names.size; id++) {
    const name = names.get(id)
    if (name === undefined) return undefined
    const bytes = specials.has(id) ? utf8.encode(name) : tokenToBytes(name)
    if (!bytes) throw invalid(`the token ${JSON.stringify(name)} (id ${id}) holds a character that stands for no byte`)
    tokens.push(bytes)
  }
  return tokens
}

function readMerges(given: unknown, ids: ReadonlyMap<string, number>): (readonly [number, number, number])[] {
  if (!Array.isArray(given)) throw invalid('model.merges is not a list')
  return given.map((entry: unknown, rank) => {
    // Until tokenizers 0.20 a merge was written "left right".
    const parts: unknown[] = typeof entry === 'string' ? entry.split(' ') : Array.isArray(entry) ? entry : []
    const [left, right] = parts
    if (parts.length !== 2 || typeof left !== 'string' || typeof right !== 'string') {
      throw invalid(`merge ${rank} is ${JSON.stringify(entry)?.slice(0, 80)}, not a pair of tokens`)
    }
    const [leftId, rightId, merged] = [ids.get(left), ids.get(right), ids.get(left + right)]
    if (leftId === undefined || rightId === undefined || merged === undefined) {
      const missing = leftId === undefined ? left : rightId === undefined ? right : left + right
      throw invalid(`merge ${rank} needs the token ${JSON.stringify(missing)}, which model.vocab lacks`)
    }
    return [leftId, rightId, merged] as const
  })
}

function isPlainByteLevel(json: TokenizerJson): boolean {
  const preTokenizer = asObject(json.pre_tokenizer)
  const postProcessor = asObject(json.post_processor)
  return (
    !json.normalizer &&
    preTokenizer?.type === 'ByteLevel' &&
    preTokenizer.add_prefix_space === false &&
    preTokenizer.use_regex !== false &&
    asObject(json.decoder)?.type === 'ByteLevel' &&
    (!json.post_processor || postProcessor?.type === 'ByteLevel')
  )
}

function isPlainBpe(model: Readonly<Record<string, unknown>>): boolean {
  return (
    model.type === 'BPE' &&
    !model.dropout &&
    !model.unk_token &&
    !model.continuing_subword_prefix &&
    !model.end_of_word_suffix &&
    !model.byte_fallback &&
    !model.ignore_merges
  )
}

function isId(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function invalid(what: string): LmError {
  return new LmError('TOKENIZER_INVALID', `Broken tokenizer.json: ${what}`)
}
