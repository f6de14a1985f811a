import { readdir, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { openTensors } from '@enigma/tensor/formats'
import { type Fault, isFault } from '../errors.js'
import { presetOf } from '../presets.js'
import { QuantizedTensors } from '../quantization/quantized-tensors.js'
import { CONFIG, INFO, MODEL, readConfig, readModelInfo, readQuantization } from './model-folder.js'

/** A model folder that was found; a broken one says why. */
export type FoundModel = { readonly name: string; readonly folder: string } & (
  | {
      readonly status: 'ok'
      /** The preset it is of, or null. */
      readonly preset: string | null
      readonly parameters: number
      /** How most weights are stored, by safetensors' names: `F16`; of a quantized model `int8` or `int4`. */
      readonly dtype: string
      /** Size of the weights on disk. */
      readonly bytes: number
      readonly modified: Date
    }
  | { readonly status: 'broken'; readonly error: Fault }
)

/** How deep below a root model folders are looked for: `models/storyteller`, `models/me/storyteller`. */
const DEPTH = 2

/**
 * The model folders at or under `roots` (missing roots are skipped), by name. Reads only JSON and headers, so it does not
 * notice flipped bits in weights: `openModelFolder` does.
 */
export async function findModels(roots: readonly string[]): Promise<FoundModel[]> {
  const folders = new Set<string>()
  for (const root of roots) await collect(resolve(root), DEPTH, folders)
  const models: FoundModel[] = []
  for (const folder of folders) models.push(await describeModel(folder))
  return models.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.folder < b.folder ? -1 : 1))
}

async function collect(folder: string, depth: number, found: Set<string>): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  const files = new Set(entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name))
  // Many programs have a config.json: weights or our own file beside it make it a model's.
  if (files.has(INFO) || files.has(MODEL) || files.has(`${MODEL}.index.json`)) {
    found.add(folder)
    return
  }
  if (depth === 0) return
  for (const entry of entries) {
    const hidden = entry.name.startsWith('.') || entry.name === 'node_modules' || entry.name === 'trainer'
    if ((entry.isDirectory() || entry.isSymbolicLink()) && !hidden) await collect(join(folder, entry.name), depth - 1, found)
  }
}

/** What a model folder holds, by its JSON and headers. */
export async function describeModel(folder: string, name = basename(folder)): Promise<FoundModel> {
  try {
    const config = await readConfig(folder)
    const info = await readModelInfo(folder)
    const quantization = await readQuantization(folder)
    await using stored = await openTensors(folder)
    const { tensors } = quantization ? new QuantizedTensors(stored, config, quantization) : stored
    const infos = [...tensors.values()]
    const bytesOf = new Map<string, number>()
    for (const { dtype, bytes } of infos) bytesOf.set(dtype, (bytesOf.get(dtype) ?? 0) + bytes)
    return {
      name,
      folder,
      status: 'ok',
      preset: info?.preset ?? presetOf(config),
      parameters: infos.reduce((sum, tensor) => sum + tensor.elements, 0),
      dtype: quantization?.name ?? [...bytesOf].sort((a, b) => b[1] - a[1])[0]?.[0] ?? 'F32',
      bytes: infos.reduce((sum, tensor) => sum + tensor.bytes, 0),
      modified: (await stat(join(folder, CONFIG))).mtime,
    }
  } catch (error) {
    if (!isFault(error)) throw error
    return { name, folder, status: 'broken', error }
  }
}
