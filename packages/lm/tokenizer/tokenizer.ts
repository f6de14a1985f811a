import { readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type FileDigest, writeAtomic } from '@enigma/tensor/formats'
import { LmError } from '../errors.js'
import { ByteBpe } from './byte-bpe.js'
import { asObject, readByteBpe } from './byte-bpe-json.js'
import { readCharacters } from './characters.js'
import type { TokenizerEngine } from './engine.js'
import { HuggingFaceEngine } from './huggingface.js'
import { beginningNames, endNames } from './special-tokens.js'
import type { StreamDecoder } from './stream-decoder.js'
import { TokenBuffer } from './token-buffer.js'
import type { TokenizerJson } from './tokenizer-json.js'

export interface EncodeOptions {
  /** Take special tokens spelled out in the text (`<|im_end|>`) for themselves. Default false: text from people must not hold commands. */
  readonly special?: boolean
}

export interface DecodeOptions {
  /** Leave special tokens out of the text. Default false. */
  readonly skipSpecial?: boolean
}

/** Names of the tokens that begin and end a text, as in `tokenizer_config.json`; default: found by their usual names. */
export interface TokenizerConfig {
  readonly bosToken?: string | undefined
  readonly eosToken?: string | undefined
}

/**
 * Text to token ids and back. Byte-level BPE (GPT-2's kind, what `trainBpe` makes) runs here and loses nothing: a lone surrogate alone
 * becomes U+FFFD, as UTF-8 has no place for it. So do tokenizers of single characters. Any other `tokenizer.json` runs through Hugging Face's implementation.
 */
export class Tokenizer {
  readonly #engine: TokenizerEngine
  /** Stands before a text; undefined where the tokenizer has no such token. */
  readonly bosId: number | undefined
  /** Ends a text; undefined where the tokenizer has no such token. */
  readonly eosId: number | undefined

  /** Use `trainBpe`, `Tokenizer.load` or `Tokenizer.fromJson`. */
  constructor(engine: TokenizerEngine, config: TokenizerConfig = {}) {
    this.#engine = engine
    this.bosId = this.#find(config.bosToken, beginningNames)
    this.eosId = this.#find(config.eosToken, endNames)
  }

  /**
   * A tokenizer from the parsed content of a `tokenizer.json`.
   * @throws LmError TOKENIZER_INVALID
   */
  static fromJson(json: unknown, config: TokenizerConfig = {}): Tokenizer {
    const object = asObject(json)
    if (!object || !asObject(object.model)) {
      throw new LmError('TOKENIZER_INVALID', 'Broken tokenizer.json: it is not an object with a "model"')
    }
    const model = readByteBpe(object)
    const own = model ? new ByteBpe(model) : readCharacters(object)
    return new Tokenizer(own ?? new HuggingFaceEngine(object), config)
  }

  /**
   * Reads a `tokenizer.json`, or the one in a model folder. A `tokenizer_config.json` beside it names the tokens that begin and end a text.
   * @throws LmError FILE_NOT_FOUND, TOKENIZER_INVALID
   */
  static async load(path: string): Promise<Tokenizer> {
    const isFolder = (await stat(path).catch(() => undefined))?.isDirectory() === true
    const file = isFolder ? join(path, 'tokenizer.json') : path
    const json = await readJson(file)
    if (json === undefined) {
      throw new LmError('FILE_NOT_FOUND', `No tokenizer at ${file}: name a tokenizer.json or a folder that holds one`)
    }
    const settings = asObject(await readJson(join(dirname(file), 'tokenizer_config.json')))
    try {
      return Tokenizer.fromJson(json, { bosToken: tokenName(settings?.bos_token), eosToken: tokenName(settings?.eos_token) })
    } catch (error) {
      if (!(error instanceof LmError)) throw error
      throw new LmError(error.code, `${file}: ${error.message}`, { cause: error })
    }
  }

  /** The highest id + 1. */
  get vocabSize(): number {
    return this.#engine.vocabSize
  }

  /** Special tokens by id. */
  get specialTokens(): ReadonlyMap<number, string> {
    return this.#engine.specials
  }

  /** The ids of a text. Adds nothing: who needs a beginning-of-text token puts `bosId` in front. */
  encode(text: string, options: EncodeOptions = {}): number[] {
    const tokens = new TokenBuffer()
    this.encodeInto(text, tokens, options)
    return Array.from(tokens.ids)
  }

  /** `encode` for much text: appends to a buffer that can be used again. */
  encodeInto(text: string, into: TokenBuffer, { special = false }: EncodeOptions = {}): void {
    this.#engine.encodeInto(text, into, special)
  }

  /**
   * The text of some ids. Bytes that are no UTF-8 become U+FFFD.
   * @throws LmError UNKNOWN_TOKEN
   */
  decode(ids: Iterable<number>, { skipSpecial = false }: DecodeOptions = {}): string {
    const list = Array.from(ids)
    for (const id of list) this.#check(id)
    return this.#engine.decode(list, skipSpecial)
  }

  /** Decodes tokens one by one; gives whole characters only. Its `push` throws UNKNOWN_TOKEN. */
  decoder({ skipSpecial = false }: DecodeOptions = {}): StreamDecoder {
    const decoder = this.#engine.decoder(skipSpecial)
    return {
      push: (id) => {
        this.#check(id)
        return decoder.push(id)
      },
      end: () => decoder.end(),
    }
  }

  /** The id of a token as `tokenizer.json` writes it (a space is `Ġ`). */
  tokenToId(token: string): number | undefined {
    return this.#engine.tokenToId(token)
  }

  /** A token as `tokenizer.json` writes it. */
  idToToken(id: number): string | undefined {
    return this.#engine.idToToken(id)
  }

  /**
   * The UTF-8 bytes a token stands for; of a special token: its spelling's. Exact for byte-level tokenizers; for others without the
   * context that may add or drop a space.
   * @throws LmError UNKNOWN_TOKEN
   */
  tokenBytes(id: number): Uint8Array {
    this.#check(id)
    return this.#engine.tokenBytes(id)
  }

  /** The content of `tokenizer.json`, readable by Hugging Face `tokenizers`. */
  toJson(): TokenizerJson {
    return this.#engine.toJson()
  }

  /**
   * Writes `tokenizer.json`, atomically.
   * @throws TensorError DISK_FULL, NOT_WRITABLE, WRITE_FAILED
   */
  save(file: string): Promise<FileDigest> {
    return writeAtomic(file, `${JSON.stringify(this.toJson())}\n`)
  }

  #find(given: string | undefined, names: readonly string[]): number | undefined {
    for (const name of given === undefined ? names : [given]) {
      const id = this.#engine.tokenToId(name)
      if (id !== undefined) return id
    }
    return undefined
  }

  #check(id: number): void {
    if (this.#engine.idToToken(id) !== undefined) return
    throw new LmError(
      'UNKNOWN_TOKEN',
      `No token has the id ${id}: the vocabulary has ids 0 to ${this.vocabSize - 1}. Does it belong to this model?`,
    )
  }
}

async function readJson(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw new LmError('FILE_NOT_FOUND', `Cannot read ${file}: ${error.message}`, { cause: error })
  })
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    throw new LmError('TOKENIZER_INVALID', `${file} is not JSON: it is damaged or incomplete. Fetch or write it again`, {
      cause: error,
    })
  }
}

/** `bos_token` is a name, or an object with it. */
function tokenName(value: unknown): string | undefined {
  const name = asObject(value)?.content ?? value
  return typeof name === 'string' ? name : undefined
}
