import type { ModelConfig } from '../config.js'
import { LmError } from '../errors.js'
import { asObject } from '../tokenizer/byte-bpe-json.js'
import type { TypedValue } from './gguf-encode.js'
import type { GgufMetadata } from './gguf-header.js'
import { isSentencePiece, sentencePieceFromGguf, sentencePieceMetadata } from './gguf-sentencepiece.js'
import { isList, KIND, placeTokens, textList } from './gguf-vocabulary.js'

const LLAMA3_SPLIT =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"

/** What decides how a byte-level BPE cuts a text before it merges. */
interface Cutting {
  /** llama.cpp's name for it (`tokenizer.ggml.pre`). */
  readonly pre: string
  readonly preTokenizer: Readonly<Record<string, unknown>>
  readonly normalizer: Readonly<Record<string, unknown>> | null
  /** Whole words of the vocabulary are taken without merging. */
  readonly ignoreMerges: boolean
}

const byteLevel = (useRegex: boolean) => ({ type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: useRegex })
const sequence = (...pretokenizers: readonly Readonly<Record<string, unknown>>[]) => ({ type: 'Sequence', pretokenizers })
const split = (pattern: string) => ({ type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false })

const CUTTINGS: readonly Cutting[] = [
  { pre: 'gpt-2', preTokenizer: byteLevel(true), normalizer: null, ignoreMerges: false },
  {
    pre: 'llama-bpe',
    preTokenizer: sequence(split(LLAMA3_SPLIT), byteLevel(false)),
    normalizer: null,
    ignoreMerges: true,
  },
  {
    pre: 'qwen2',
    preTokenizer: sequence(split(LLAMA3_SPLIT.replace('{1,3}', '')), byteLevel(false)),
    normalizer: { type: 'NFC' },
    ignoreMerges: false,
  },
  {
    pre: 'smollm',
    preTokenizer: sequence({ type: 'Digits', individual_digits: true }, byteLevel(true)),
    normalizer: null,
    ignoreMerges: false,
  },
]

/** Names that llama.cpp takes for others. */
const OTHER_NAMES: ReadonlyMap<unknown, string> = new Map([
  ['llama3', 'llama-bpe'],
  ['llama-v3', 'llama-bpe'],
])

/** Whether a text is cut as Llama 3 does (`tokenizer.ggml.pre`). */
export function isLlama3(pre: unknown): boolean {
  return (OTHER_NAMES.get(pre) ?? pre) === 'llama-bpe'
}

/** A tokenizer, to be written. */
export interface TokenizerContent {
  /** The parsed `tokenizer.json`. */
  readonly json: unknown
  /** A jinja template of chats, or undefined. */
  readonly chatTemplate?: string | undefined
}

/**
 * The metadata of a byte-level BPE, or of SentencePiece's.
 * @throws LmError UNSUPPORTED_MODEL for other tokenizers, naming the part that llama.cpp does not have; TOKENIZER_INVALID
 */
export function tokenizerMetadata(content: TokenizerContent, config: ModelConfig): Record<string, TypedValue> {
  const json = asObject(content.json) ?? {}
  return {
    ...(isSentencePiece(json) ? sentencePieceMetadata(json, config) : byteBpeMetadata(json, config)),
    ...idMetadata(content, config),
  }
}

function byteBpeMetadata(json: Readonly<Record<string, unknown>>, config: ModelConfig): Record<string, TypedValue> {
  const model = asObject(json.model)
  if (model?.type !== 'BPE') throw unsupported(`model type ${JSON.stringify(model?.type ?? null)}: a byte-level BPE is needed`)
  const cutting = CUTTINGS.find(({ preTokenizer }) => cutsAlike(json.pre_tokenizer, preTokenizer))
  if (!cutting) throw unsupported(`pre_tokenizer ${JSON.stringify(json.pre_tokenizer ?? null).slice(0, 200)}`)
  // Qwen's files normalize to NFC; llama.cpp leaves texts as they are, which for almost all is the same.
  if (json.normalizer && asObject(json.normalizer)?.type !== 'NFC')
    throw unsupported(`normalizer ${JSON.stringify(json.normalizer).slice(0, 200)}`)

  const { names, kinds } = placeTokens(json, config.vocabSize)
  return {
    'tokenizer.ggml.model': { type: 'string', value: 'gpt2' },
    'tokenizer.ggml.pre': { type: 'string', value: cutting.pre },
    'tokenizer.ggml.tokens': { type: 'strings', value: names },
    'tokenizer.ggml.token_type': { type: 'i32s', value: kinds },
    'tokenizer.ggml.merges': { type: 'strings', value: merges(model.merges) },
  }
}

function idMetadata({ chatTemplate }: TokenizerContent, config: ModelConfig): Record<string, TypedValue> {
  const [eos, eot] = config.eosIds
  const id = (key: string, value: number | null | undefined): Record<string, TypedValue> =>
    typeof value === 'number' ? { [`tokenizer.ggml.${key}`]: { type: 'u32', value } } : {}
  return {
    ...id('bos_token_id', config.bosId),
    ...id('eos_token_id', eos),
    ...id('eot_token_id', eot),
    ...id('padding_token_id', config.padId),
    'tokenizer.ggml.add_bos_token': { type: 'bool', value: config.bosId !== null },
    ...(chatTemplate !== undefined && { 'tokenizer.chat_template': { type: 'string', value: chatTemplate } }),
  }
}

/** Merges as "left right"; newer files write them as pairs. */
function merges(given: unknown): string[] {
  if (!Array.isArray(given)) throw new LmError('TOKENIZER_INVALID', 'Broken tokenizer.json: model.merges is not a list')
  return given.map((entry: unknown) => (Array.isArray(entry) ? entry.join(' ') : String(entry)))
}

/** Whether two pre-tokenizers cut alike: what they say beside that (offsets) does not count, nor do defaults that are left out. */
function cutsAlike(given: unknown, wanted: Readonly<Record<string, unknown>>): boolean {
  const object = asObject(given)
  if (!object) return false
  if (object.type === 'Sequence' && wanted.type === 'Sequence') {
    const [parts, others] = [object.pretokenizers, wanted.pretokenizers] as [unknown, Readonly<Record<string, unknown>>[]]
    return Array.isArray(parts) && parts.length === others.length && others.every((part, at) => cutsAlike(parts[at], part))
  }
  const { trim_offsets: _, ...decisive } = wanted
  const defaults: Readonly<Record<string, unknown>> = { use_regex: true, add_prefix_space: true, invert: false }
  return Object.entries(decisive).every(([key, value]) => JSON.stringify(object[key] ?? defaults[key]) === JSON.stringify(value))
}

/**
 * The `tokenizer.json` of a GGUF file.
 * @throws LmError UNSUPPORTED_MODEL naming the key; TOKENIZER_INVALID
 */
export function tokenizerFromGguf(metadata: GgufMetadata, path: string): Record<string, unknown> {
  const model = metadata.get('tokenizer.ggml.model')
  if (model === 'llama') return sentencePieceFromGguf(metadata, path)
  if (model === undefined) throw new LmError('TOKENIZER_INVALID', `${path} lacks tokenizer.ggml.model`)
  if (model !== 'gpt2') {
    const what = `${path}: tokenizer.ggml.model ${JSON.stringify(model)} is not supported`
    throw new LmError('UNSUPPORTED_MODEL', `${what}; byte-level BPE ("gpt2") and SentencePiece's BPE ("llama") are read`)
  }
  const given = metadata.get('tokenizer.ggml.pre') ?? null
  const pre = OTHER_NAMES.get(given) ?? given
  const cutting = CUTTINGS.find((entry) => entry.pre === pre)
  if (!cutting) {
    const known = CUTTINGS.map((entry) => entry.pre).join(', ')
    throw new LmError(
      'UNSUPPORTED_MODEL',
      `${path}: tokenizer.ggml.pre ${JSON.stringify(given)} is not supported; this reads ${known}`,
    )
  }
  const tokens = textList(metadata, 'tokenizer.ggml.tokens', path)
  const kinds = metadata.get('tokenizer.ggml.token_type')
  const kindOf = (id: number) => (isList(kinds) ? Number(kinds[id] ?? KIND.normal) : KIND.normal)
  const used = tokens.length - [...tokens.keys()].reverse().findIndex((id) => kindOf(id) !== KIND.unused)
  const added = (id: number) => kindOf(id) === KIND.control || kindOf(id) === KIND.userDefined
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: tokens.slice(0, used).flatMap((content, id) =>
      added(id)
        ? [
            {
              ...{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false },
              special: kindOf(id) === KIND.control,
            },
          ]
        : [],
    ),
    normalizer: cutting.normalizer,
    pre_tokenizer: cutting.preTokenizer,
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      ...{ dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null },
      ...{ fuse_unk: false, byte_fallback: false, ignore_merges: cutting.ignoreMerges },
      vocab: Object.fromEntries(tokens.slice(0, used).map((token, id) => [token, id])),
      merges: textList(metadata, 'tokenizer.ggml.merges', path).map((merge) => merge.split(' ')),
    },
  }
}

function unsupported(what: string): LmError {
  return new LmError('UNSUPPORTED_MODEL', `This tokenizer cannot be written for llama.cpp: ${what}`)
}
