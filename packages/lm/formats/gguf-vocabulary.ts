import { LmError } from '../errors.js'
import { asObject, readAddedTokens } from '../tokenizer/byte-bpe-json.js'
import type { GgufList, GgufMetadata } from './gguf-header.js'

/** ggml's kinds of tokens. */
export const KIND = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const

/**
 * The tokens of a `tokenizer.json` by id, with their kinds; ids of the model that stand for nothing are named `[PAD<id>]`.
 * @throws LmError TOKENIZER_INVALID; SHAPE_MISMATCH for an id the model does not have
 */
export function placeTokens(
  json: Readonly<Record<string, unknown>>,
  vocabSize: number,
): { readonly names: string[]; readonly kinds: Int32Array } {
  const vocab = asObject(asObject(json.model)?.vocab)
  if (!vocab) throw new LmError('TOKENIZER_INVALID', 'Broken tokenizer.json: model.vocab is not an object')
  const names = Array.from({ length: vocabSize }, (_, id) => `[PAD${id}]`)
  const kinds = new Int32Array(vocabSize).fill(KIND.unused)
  const put = (id: unknown, name: string, kind: number) => {
    if (typeof id !== 'number' || !(id in names))
      throw new LmError('SHAPE_MISMATCH', `Token ${JSON.stringify(name)} has the id ${id}, the model ${vocabSize} tokens`)
    names[id] = name
    kinds[id] = kind
  }
  for (const [name, id] of Object.entries(vocab)) put(id, name, KIND.normal)
  for (const { id, content, special } of readAddedTokens(json)) put(id, content, special ? KIND.control : KIND.userDefined)
  return { names, kinds }
}

/** A list of texts in a file's metadata. @throws LmError TOKENIZER_INVALID */
export function textList(metadata: GgufMetadata, key: string, path: string): readonly string[] {
  const value = metadata.get(key)
  if (!Array.isArray(value)) throw new LmError('TOKENIZER_INVALID', `${path} lacks the list ${key}`)
  return value
}

export function isList(value: unknown): value is Exclude<GgufList, readonly string[]> {
  return ArrayBuffer.isView(value)
}
