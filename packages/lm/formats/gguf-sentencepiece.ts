import type { ModelConfig } from '../config.js'
import { LmError } from '../errors.js'
import { asObject } from '../tokenizer/byte-bpe-json.js'
import type { TypedValue } from './gguf-encode.js'
import type { GgufMetadata } from './gguf-header.js'
import { isList, KIND, placeTokens, textList } from './gguf-vocabulary.js'

/**
 * The BPE of SentencePiece (Llama 2, Mistral, TinyLlama): spaces are `▁`, characters without a token fall back to bytes. GGUF keeps a
 * score for each token, `tokenizer.json` a rank for each merge: a token's score is minus the rank of the first merge that makes it.
 */

const SPACE = '\u2581'
/** Longer tokens are no words; without a limit a hostile file would ask for as many splits as it has letters. */
const longestToken = 1000
/** Ways to make a token, on average; real vocabularies have two or three. */
const waysLimit = 16

/** Whether a `tokenizer.json` holds such a tokenizer. */
export function isSentencePiece(json: Readonly<Record<string, unknown>>): boolean {
  const model = asObject(json.model)
  return model?.type === 'BPE' && model.byte_fallback === true
}

/**
 * The metadata of such a tokenizer.
 * @throws LmError UNSUPPORTED_MODEL when it treats spaces otherwise; TOKENIZER_INVALID, SHAPE_MISMATCH
 */
export function sentencePieceMetadata(
  json: Readonly<Record<string, unknown>>,
  config: Pick<ModelConfig, 'vocabSize'>,
): Record<string, TypedValue> {
  const model = asObject(json.model) ?? {}
  const { names, kinds } = placeTokens(json, config.vocabSize)
  const scores = new Float32Array(names.length).fill(-1e6)
  const ids = new Map(names.map((name, id) => [name, id]))
  const merges: unknown[] = Array.isArray(model.merges) ? model.merges : []
  merges.forEach((merge, rank) => {
    const made = Array.isArray(merge) ? merge.join('') : String(merge).replace(' ', '')
    const id = ids.get(made)
    if (id !== undefined && scores[id] === -1e6) scores[id] = -1 - rank
  })
  names.forEach((name, id) => {
    if (kinds[id] === KIND.normal && /^<0x[0-9A-F]{2}>$/.test(name)) kinds[id] = KIND.byte
    if (name === model.unk_token) kinds[id] = KIND.unknown
    if (kinds[id] !== KIND.normal) scores[id] = 0
  })
  const unknown = ids.get(String(model.unk_token))
  return {
    'tokenizer.ggml.model': { type: 'string', value: 'llama' },
    'tokenizer.ggml.pre': { type: 'string', value: 'default' },
    'tokenizer.ggml.tokens': { type: 'strings', value: names },
    'tokenizer.ggml.scores': { type: 'f32s', value: scores },
    'tokenizer.ggml.token_type': { type: 'i32s', value: kinds },
    ...(unknown !== undefined && { 'tokenizer.ggml.unknown_token_id': { type: 'u32', value: unknown } }),
    'tokenizer.ggml.add_space_prefix': { type: 'bool', value: prefixes(json) },
  }
}

/** Whether a space is put before a text; both ways in which Hugging Face writes this are known. */
function prefixes(json: Readonly<Record<string, unknown>>): boolean {
  const metaspace = asObject(json.pre_tokenizer)
  if (metaspace?.type === 'Metaspace' && metaspace.replacement === SPACE)
    return (metaspace.prepend_scheme ?? (metaspace.add_prefix_space === false ? 'never' : 'always')) !== 'never'
  const normalizer = asObject(json.normalizer)
  const steps: unknown[] = Array.isArray(normalizer?.normalizers) ? normalizer.normalizers : [normalizer]
  const types = steps.map((step) => asObject(step)?.type)
  if (!json.pre_tokenizer && types.includes('Replace') && types.every((type) => type === 'Replace' || type === 'Prepend'))
    return types.includes('Prepend')
  const what = JSON.stringify({ normalizer: json.normalizer ?? null, pre_tokenizer: json.pre_tokenizer ?? null }).slice(0, 300)
  throw new LmError('UNSUPPORTED_MODEL', `This tokenizer cannot be written for llama.cpp: it treats spaces by ${what}`)
}

/** The `tokenizer.json` of such a tokenizer. @throws LmError TOKENIZER_INVALID */
export function sentencePieceFromGguf(metadata: GgufMetadata, path: string): Record<string, unknown> {
  const tokens = textList(metadata, 'tokenizer.ggml.tokens', path)
  const scores = metadata.get('tokenizer.ggml.scores')
  const kinds = metadata.get('tokenizer.ggml.token_type')
  if (!isList(scores) || !isList(kinds) || scores.length !== tokens.length || kinds.length !== tokens.length)
    throw new LmError(
      'TOKENIZER_INVALID',
      `${path} lacks tokenizer.ggml.scores or token_type for each of its ${tokens.length} tokens`,
    )
  const kindOf = (id: number) => Number(kinds[id])
  const prefix = metadata.get('tokenizer.ggml.add_space_prefix') !== false
  const unknown = tokens.findIndex((_, id) => kindOf(id) === KIND.unknown)
  const added = new Set<number>([KIND.control, KIND.unknown, KIND.userDefined])
  const replace = { type: 'Replace', pattern: { String: ' ' }, content: SPACE }
  const strip = prefix ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: tokens.flatMap((content, id) =>
      added.has(kindOf(id)) && content !== ''
        ? [
            {
              ...{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false },
              special: kindOf(id) !== KIND.userDefined,
            },
          ]
        : [],
    ),
    normalizer: { type: 'Sequence', normalizers: prefix ? [{ type: 'Prepend', prepend: SPACE }, replace] : [replace] },
    pre_tokenizer: null,
    post_processor: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: SPACE }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        ...strip,
      ],
    },
    model: {
      type: 'BPE',
      ...{ dropout: null, unk_token: tokens[unknown] ?? null, continuing_subword_prefix: null, end_of_word_suffix: null },
      ...{ fuse_unk: true, byte_fallback: kinds.includes(KIND.byte as never), ignore_merges: false },
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: mergesOf(
        path,
        tokens,
        (id) => Number(scores[id]),
        (id) => kindOf(id) === KIND.normal,
      ),
    },
  }
}

/** Every way to make a token of two others, the best score first; as transformers' converter (`generate_merges`) orders them. */
function mergesOf(
  path: string,
  tokens: readonly string[],
  scoreOf: (id: number) => number,
  isNormal: (id: number) => boolean,
): (readonly [string, string])[] {
  const ids = new Map(tokens.map((token, id) => [token, id]))
  const found: {
    readonly pair: readonly [string, string]
    readonly score: number
    readonly left: number
    readonly right: number
  }[] = []
  tokens.forEach((token, id) => {
    if (!isNormal(id) || token.length > longestToken) return
    for (let at = 1; at < token.length; at++) {
      const pair = [token.slice(0, at), token.slice(at)] as const
      const [left, right] = [ids.get(pair[0]), ids.get(pair[1])]
      if (left !== undefined && right !== undefined) found.push({ pair, score: scoreOf(id), left, right })
      if (found.length > waysLimit * tokens.length)
        throw new LmError('TOKENIZER_INVALID', `${path}: its tokens can be made of one another in too many ways`)
    }
  })
  return found
    .sort(
      (a, b) =>
        b.score - a.score || b.pair[0].length - a.pair[0].length || b.pair[1].length - a.pair[1].length || a.left - b.left,
    )
    .map(({ pair }) => pair)
}
