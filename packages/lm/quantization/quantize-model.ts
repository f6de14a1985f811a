import { readFile, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import type { HostTensor } from '@enigma/tensor'
import { type FileContent, safetensorsBytes } from '@enigma/tensor/formats'
import { commitFiles } from '../checkpoint/folder-commit.js'
import { lockFolder } from '../checkpoint/lock.js'
import { CARD, CONFIG, INFO, INFO_FORMAT, MODEL, refuseExistingModel, TOKENIZER } from '../checkpoint/model-folder.js'
import { LmError } from '../errors.js'
import { COMPANIONS, readJsonObject } from '../formats/companions.js'
import { describedIn } from '../formats/peft-adapter.js'
import { LanguageModel } from '../language-model.js'
import { parameterSpecs } from '../parameters.js'
import { isQuantized, type QuantizationName, quantizationOf } from './quantization.js'
import { quantizationToConfig } from './quantization-config.js'
import { storedTensors } from './quantized-tensors.js'

export interface QuantizeOptions {
  readonly quantization: QuantizationName
  /** Neighbours of a row that share a scale: 16, 32, 64, 128 or 256. Default 32. */
  readonly groupSize?: number
  /** Replace a model that lies there. Default false. */
  readonly force?: boolean
}

export interface QuantizedFolder {
  readonly folder: string
  readonly quantization: QuantizationName
  readonly groupSize: number
  readonly parameters: number
  /** Of the weights, as float32 and as they are now. */
  readonly bytes: { readonly before: number; readonly after: number }
}

/**
 * Writes the model of a folder (or of an adapter's folder, added to its model) with rounded weights into another one, all files or none.
 * `config.json` says how under `quantization_config`; everything here that answers loads it, nothing trains it.
 * @throws LmError INVALID_OPTION, QUANTIZED_MODEL, TENSOR_OVERFLOW, MODEL_EXISTS, FOLDER_LOCKED and as `LanguageModel.load`;
 * TensorError DISK_FULL, NOT_WRITABLE, WRITE_FAILED
 */
export async function quantizeModel(source: string, target: string, options: QuantizeOptions): Promise<QuantizedFolder> {
  const quantization = quantizationOf(options.quantization, options.groupSize)
  if (resolve(source) === resolve(target))
    throw new LmError('INVALID_OPTION', `${source} is where the quantized model would be written to. Choose another folder.`)
  if (!options.force) await refuseExistingModel(target, COMPANIONS, 'Replace it with --force, or choose another folder')
  const { config, stored, preset, parameters } = await LanguageModel.load(source, {
    quantization: quantization.name,
    groupSize: quantization.groupSize,
  })
  const home = await describedIn(source)
  const tensors = parameterSpecs(config).flatMap(({ name }): [string, HostTensor][] => {
    const tensor = stored[name]!
    return isQuantized(tensor) ? storedTensors(name, tensor) : [[name, tensor]]
  })
  const described = {
    ...(await readJsonObject(join(home, CONFIG))),
    bos_token_id: config.bosId,
    eos_token_id: [...config.eosIds],
    quantization_config: quantizationToConfig(quantization),
  }
  const files: [string, FileContent][] = [
    [CONFIG, json(described)],
    [TOKENIZER, await readFile(join(home, TOKENIZER))],
    [MODEL, safetensorsBytes(Object.fromEntries(tensors))],
  ]
  for (const name of COMPANIONS) {
    const place = (await exists(join(source, name))) ? join(source, name) : join(home, name)
    if (await exists(place)) files.push([name, await readFile(place)])
  }
  const createdBy = `quantized from ${basename(resolve(source))}`
  await using _lock = await lockFolder(target, 'quantization')
  await commitFiles(target, files, ({ [CARD]: _card, LICENSE: _licence, ...digests }) => [
    INFO,
    json({ format: INFO_FORMAT, preset, createdBy, files: digests }),
  ])
  const before = parameterSpecs(config).reduce((sum, { name }) => sum + 4 * elementsOf(stored[name]!), 0)
  const after = tensors.reduce((sum, [, { data }]) => sum + data.byteLength, 0)
  const { name, groupSize } = quantization
  return { folder: resolve(target), quantization: name, groupSize, parameters, bytes: { before, after } }
}

const elementsOf = ({ shape }: { readonly shape: readonly number[] }) => shape.reduce((product, of) => product * of, 1)
const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`
const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  )
