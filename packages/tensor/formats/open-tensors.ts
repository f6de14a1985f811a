import { readFile, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { HostTensor } from '../dtype.js'
import { TensorError } from '../errors.js'
import { SafetensorsFile } from './safetensors-reader.js'
import type { TensorInfo, TensorReader } from './tensor-reader.js'

const SINGLE = 'model.safetensors'
const INDEX = 'model.safetensors.index.json'

/**
 * Opens a safetensors file, an index of shards (`*.index.json`), or a folder that holds `model.safetensors` or
 * `model.safetensors.index.json`.
 * @throws TensorError FILE_NOT_FOUND, FILE_CORRUPT, FILE_TRUNCATED, TENSOR_MISSING
 */
export async function openTensors(path: string): Promise<TensorReader> {
  if (!(await isFolder(path))) return path.endsWith('.index.json') ? Shards.open(path) : SafetensorsFile.open(path)
  if (await exists(join(path, SINGLE))) return SafetensorsFile.open(join(path, SINGLE))
  if (await exists(join(path, INDEX))) return Shards.open(join(path, INDEX))
  throw new TensorError('FILE_NOT_FOUND', `${path} holds neither ${SINGLE} nor ${INDEX}`)
}

/** Several safetensors files that an index joins to one: `{"weight_map": {tensor: file}}`. */
class Shards implements TensorReader {
  readonly metadata: Readonly<Record<string, string>>
  readonly tensors: ReadonlyMap<string, TensorInfo>
  readonly #home: ReadonlyMap<string, SafetensorsFile>

  private constructor(
    readonly path: string,
    home: ReadonlyMap<string, SafetensorsFile>,
  ) {
    this.#home = home
    this.metadata = Object.assign({}, ...[...new Set(home.values())].map((file) => file.metadata))
    this.tensors = new Map([...home].map(([name, file]) => [name, file.tensors.get(name)!]))
  }

  static async open(path: string): Promise<Shards> {
    const map = weightMap(await readFile(path, 'utf8').catch((error) => missing(path, error)), path)
    const files = new Map<string, SafetensorsFile>()
    try {
      for (const file of new Set(map.values())) files.set(file, await SafetensorsFile.open(join(dirname(path), file)))
      const home = new Map<string, SafetensorsFile>()
      for (const [name, file] of map) {
        const shard = files.get(file)!
        if (!shard.tensors.has(name))
          throw new TensorError('TENSOR_MISSING', `${path} says that "${name}" is in ${file}, which holds no such tensor`)
        home.set(name, shard)
      }
      return new Shards(path, home)
    } catch (error) {
      await Promise.all([...files.values()].map((file) => file.close()))
      throw error
    }
  }

  async read(name: string, target?: Float32Array): Promise<Float32Array> {
    return this.#holding(name).read(name, target)
  }

  async readHost(name: string): Promise<HostTensor> {
    return this.#holding(name).readHost(name)
  }

  #holding(name: string): SafetensorsFile {
    const file = this.#home.get(name)
    if (!file) throw new TensorError('TENSOR_MISSING', `${this.path} holds no tensor "${name}"`)
    return file
  }

  async close(): Promise<void> {
    await Promise.all([...new Set(this.#home.values())].map((file) => file.close()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

function weightMap(text: string, path: string): Map<string, string> {
  const corrupt = (what: string, cause?: unknown) => new TensorError('FILE_CORRUPT', `${path} ${what}`, { cause })
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw corrupt('is not JSON', error)
  }
  const map = typeof json === 'object' && json !== null && 'weight_map' in json ? json.weight_map : undefined
  if (typeof map !== 'object' || map === null || Array.isArray(map)) throw corrupt('has no "weight_map"')
  return new Map(
    Object.entries(map).map(([name, file]) => {
      // A shard lies beside its index: an index from the net must not open other files.
      if (typeof file !== 'string' || file !== basename(file) || !file.endsWith('.safetensors')) {
        throw corrupt(`puts "${name}" into ${JSON.stringify(file)}, which is not a safetensors file beside it`)
      }
      return [name, file]
    }),
  )
}

function missing(path: string, error: Error): never {
  throw new TensorError('FILE_NOT_FOUND', `${path} cannot be read: ${error.message}`, { cause: error })
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (entry) => entry.isDirectory(),
    () => false,
  )
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
