import { createReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import type { FileContent, StoredDtype } from '@enigma/tensor/formats'
import { commitFiles } from '../checkpoint/folder-commit.js'
import { lockFolder } from '../checkpoint/lock.js'
import { CONFIG, INFO, INFO_FORMAT, MODEL, openModelFolder, refuseExistingModel, TOKENIZER } from '../checkpoint/model-folder.js'
import { saveModel } from '../checkpoint/save-model.js'
import type { ModelConfig } from '../config.js'
import { LmError } from '../errors.js'
import { hubNameOf } from '../hub/hub-cache.js'
import { configFromHuggingFace } from '../huggingface-config.js'
import { parameterCount } from '../memory.js'
import { parameterSpecs } from '../parameters.js'
import { presetOf } from '../presets.js'
import { Tokenizer } from '../tokenizer/index.js'
import { COMPANIONS, readJsonObject, staleFiles } from './companions.js'
import { GgufFile } from './gguf-file.js'
import { type GgufModel, readGgufModel } from './gguf-model.js'
import { ggufName, turnedHeads, turnRows } from './gguf-names.js'
import { tokenizerFromGguf } from './gguf-tokenizer.js'

export interface ImportOptions {
  /** How the weights of a GGUF file are stored. Default: as most of them are there; quantized ones as f16. */
  readonly dtype?: StoredDtype
  /** Replace a model that lies there. Default false. */
  readonly force?: boolean
  /** Called with what is being written, and how much of all is done. */
  readonly onProgress?: (done: number, total: number) => void
  readonly signal?: AbortSignal
}

export interface ImportedModel {
  readonly folder: string
  /** What it came from: `safetensors` or `gguf`. */
  readonly format: 'safetensors' | 'gguf'
  readonly config: ModelConfig
  readonly parameters: number
}

/**
 * Takes a Hugging Face folder or a GGUF file into a model folder, after checking that this project computes it: files of a folder are
 * copied as they are (in shards, in their precision), with hashes; a GGUF file becomes safetensors. Holds one tensor at a time. Killed or
 * failed, it leaves what was there before.
 * @throws LmError MODEL_EXISTS, FOLDER_LOCKED, UNSUPPORTED_MODEL, INVALID_CONFIG, FILE_NOT_FOUND, FILE_CORRUPT, FILE_TRUNCATED,
 * TENSOR_MISSING, SHAPE_MISMATCH, TOKENIZER_INVALID, ABORTED; TensorError DISK_FULL, NOT_WRITABLE, WRITE_FAILED
 */
export async function importModel(source: string, target: string, options: ImportOptions = {}): Promise<ImportedModel> {
  if (!options.force) await refuseExistingModel(target, COMPANIONS, 'Replace it with --force, or choose another name')
  const entry = await stat(source).catch((error: Error) => {
    throw new LmError('FILE_NOT_FOUND', `There is no model at ${source}: name a model folder or a .gguf file`, { cause: error })
  })
  if (resolve(source) === resolve(target))
    throw new LmError('INVALID_OPTION', `${source} is where it would be imported to. Choose another name`)
  return entry.isDirectory() ? importFolder(source, target, options) : importGguf(source, target, options)
}

async function importFolder(source: string, target: string, options: ImportOptions): Promise<ImportedModel> {
  await using files = await openModelFolder(source)
  const { config, tokenizerPath } = files
  if (tokenizerPath === null)
    throw new LmError('FILE_NOT_FOUND', `${source} has no tokenizer.json. Copy it from where the model comes from.`)
  checkVocabulary(await Tokenizer.load(tokenizerPath), config, tokenizerPath)

  const weights = await weightFiles(source)
  const kept: string[] = []
  for (const name of [...COMPANIONS, ...weights])
    if ((await stat(join(source, name)).catch(() => undefined))?.isFile()) kept.push(name)
  const sizes = await Promise.all(kept.map(async (name) => (await stat(join(source, name))).size))
  const total = sizes.reduce((sum, size) => sum + size, 0)
  const progress = counter(total, options)
  const content: [string, FileContent][] = [
    [CONFIG, await configText(source, config)],
    [TOKENIZER, await readFile(tokenizerPath)],
    ...kept.map((name): [string, FileContent] => [name, counted(join(source, name), progress)]),
  ]
  await using _lock = await lockFolder(target, 'import')
  const removed = await staleFiles(
    target,
    content.map(([name]) => name),
  )
  await commitFiles(target, content, (digests) => [INFO, info(config, source, digests)], { removed })
  return { folder: resolve(target), format: 'safetensors', config, parameters: parameterCount(config) }
}

/** `config.json` as it is, but for what `generationIds` found out about the tokens that begin and end texts. */
async function configText(source: string, given: ModelConfig): Promise<string> {
  const text = await readFile(join(source, CONFIG), 'utf8')
  const json: unknown = JSON.parse(text)
  const { bosId, eosIds } = configFromHuggingFace(json)
  if (bosId === given.bosId && eosIds.join() === given.eosIds.join()) return text
  return `${JSON.stringify({ ...(json as object), bos_token_id: given.bosId, eos_token_id: given.eosIds }, null, 2)}\n`
}

async function weightFiles(source: string): Promise<string[]> {
  const index = `${MODEL}.index.json`
  if (await stat(join(source, MODEL)).catch(() => undefined)) return [MODEL]
  const map = (await readJsonObject(join(source, index)))?.weight_map
  // `openModelFolder` has checked that it is a map to files beside it.
  return [index, ...new Set(Object.values(map as Record<string, string>))]
}

function info(config: ModelConfig, source: string, digests: Readonly<Record<string, object>>): string {
  const { 'README.md': _card, LICENSE: _licence, ...files } = digests
  const name = basename(resolve(source))
  const hub = hubNameOf(source)
  const createdBy = `imported from ${hub === undefined ? name : `${hub}@${name}`}`
  return `${JSON.stringify({ format: INFO_FORMAT, preset: presetOf(config), createdBy, files }, null, 2)}\n`
}

async function importGguf(source: string, target: string, options: ImportOptions): Promise<ImportedModel> {
  await using file = await GgufFile.open(source)
  const model = await readGgufModel(file)
  const { config } = model
  const tokenizerJson = tokenizerFromGguf(file.metadata, source)
  checkVocabulary(Tokenizer.fromJson(tokenizerJson), config, source)
  const specs = parameterSpecs(config)
  const progress = counter(parameterCount(config), options)
  const tensors = specs.map(({ name, shape }) => ({
    name,
    shape,
    pieces: () => weightPieces(file, name, shape, model, progress),
  }))
  const template = file.metadata.get('tokenizer.chat_template')
  const beside = {
    'tokenizer_config.json': tokenizerConfig(file, config),
    ...(typeof template === 'string' && { 'chat_template.jinja': template }),
  }
  await using _lock = await lockFolder(target, 'import')
  const content = {
    config,
    tensors,
    tokenizerJson: JSON.stringify(tokenizerJson),
    dtype: options.dtype ?? storedDtype(file),
    createdBy: `imported from ${basename(source)}`,
    beside,
  }
  await saveModel(target, content, { removed: await staleFiles(target, [MODEL, ...Object.keys(beside)]) })
  return { folder: resolve(target), format: 'gguf', config, parameters: parameterCount(config) }
}

/** The names of the tokens that begin, end and fill texts, where transformers and this project look for them. */
function tokenizerConfig({ metadata }: GgufFile, { bosId }: ModelConfig): string {
  const tokens = metadata.get('tokenizer.ggml.tokens')
  const nameOf = (key: string): string | null => {
    const id = metadata.get(`tokenizer.ggml.${key}_token_id`)
    const name: unknown = Array.isArray(tokens) && typeof id === 'number' ? tokens[id] : null
    return typeof name === 'string' ? name : null
  }
  const fields = {
    tokenizer_class: 'PreTrainedTokenizerFast',
    bos_token: nameOf('bos'),
    add_bos_token: bosId !== null,
    eos_token: nameOf('eos'),
    pad_token: nameOf('padding'),
    clean_up_tokenization_spaces: false,
  }
  return `${JSON.stringify(fields, null, 2)}\n`
}

/** One weight as it lies in a safetensors file; where rows are turned, a head at a time. */
async function* weightPieces(
  file: GgufFile,
  name: string,
  shape: readonly number[],
  { config, turned }: GgufModel,
  progress: (more: number) => void,
): AsyncGenerator<Float32Array> {
  const heads = turned ? turnedHeads(name, config) : 0
  const size = heads === 0 ? undefined : shape.reduce((product, of) => product * of, 1) / heads
  for await (const piece of file.pieces(ggufName(name), size)) {
    progress(piece.length)
    yield heads === 0 ? piece : turnRows(piece, config.headDim, 1, 'to halves')
  }
}

/** The precision most matrices have; quantized ones are kept in half precision. */
function storedDtype(file: GgufFile): StoredDtype {
  const elements = new Map<string, number>()
  for (const { type, elements: count } of file.tensors.values()) elements.set(type, (elements.get(type) ?? 0) + count)
  const [most] = [...elements].sort((a, b) => b[1] - a[1])[0]!
  return most === 'F32' ? 'f32' : most === 'BF16' ? 'bf16' : 'f16'
}

function checkVocabulary(tokenizer: Tokenizer, config: ModelConfig, path: string): void {
  if (tokenizer.vocabSize <= config.vocabSize) return
  const sizes = `${tokenizer.vocabSize} tokens, the model ${config.vocabSize}`
  throw new LmError('SHAPE_MISMATCH', `${path} has ${sizes}: they do not belong together.`)
}

/** Adds up what is done. @throws LmError ABORTED, from within, when the signal fires */
function counter(total: number, { onProgress, signal }: ImportOptions): (more: number) => void {
  let done = 0
  return (more) => {
    if (signal?.aborted) throw new LmError('ABORTED', 'The import was stopped; nothing was changed', { cause: signal.reason })
    done += more
    onProgress?.(done, total)
  }
}

async function* counted(path: string, progress: (more: number) => void): AsyncGenerator<Uint8Array> {
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 })) {
    const bytes = piece as Uint8Array
    progress(bytes.length)
    yield bytes
  }
}
