import type { HostTensor } from '@enigma/tensor'
import type { TensorInfo, TensorReader } from '@enigma/tensor/formats'
import type { ModelConfig } from '../config.js'
import { LmError } from '../errors.js'
import { parameterSpecs } from '../parameters.js'
import { formatOf, type Quantization } from './quantization.js'
import { type BlockFormat, blocksOf, dequantize, halves, type QuantizedMatrix, rowBytes } from './quantized-matrix.js'

/** A quantized matrix `name` lies in two tensors: `name.codes` u8 [rows, blocks, block · bits/8] and `name.scales` f16 [rows, blocks]. */
const codesOf = (name: string) => `${name}.codes`
const scalesOf = (name: string) => `${name}.scales`

/** The tensors as which a matrix is stored. */
export function storedTensors(name: string, { shape, codes, scales, bits, block }: QuantizedMatrix): [string, HostTensor][] {
  const blocks = blocksOf(shape[1], { bits, block })
  return [
    [codesOf(name), { dtype: 'u8', shape: [shape[0], blocks, (block * bits) / 8], data: codes }],
    [scalesOf(name), { dtype: 'f16', shape: [shape[0], blocks], data: halves(scales, `'${name}'`) }],
  ]
}

/** The tensors of a quantized model folder under the names, in the shapes and as the float32 numbers of the model's parameters; their `bytes` are those on disk. */
export class QuantizedTensors implements TensorReader {
  readonly path: string
  readonly metadata: Readonly<Record<string, string>>
  readonly tensors: ReadonlyMap<string, TensorInfo>
  readonly quantization: Quantization
  readonly #stored: TensorReader
  readonly #formats: ReadonlyMap<string, BlockFormat>

  /** @throws LmError TENSOR_MISSING, SHAPE_MISMATCH when codes and scales are not those of the configuration */
  constructor(stored: TensorReader, config: ModelConfig, quantization: Quantization) {
    this.path = stored.path
    this.metadata = stored.metadata
    this.quantization = quantization
    this.#stored = stored
    const formats = new Map<string, BlockFormat>()
    const tensors = new Map<string, TensorInfo>()
    for (const spec of parameterSpecs(config)) {
      const { name, shape } = spec
      const format = formatOf(spec, quantization)
      if (!format) {
        const plain = stored.tensors.get(name)
        if (plain) tensors.set(name, plain)
        continue
      }
      const [rows, columns] = shape as readonly [number, number]
      const blocks = blocksOf(columns, format)
      const codes = this.#checked(codesOf(name), 'U8', [rows, blocks, rowBytes(columns, format) / blocks])
      const scales = this.#checked(scalesOf(name), 'F16', [rows, blocks])
      formats.set(name, format)
      tensors.set(name, { name, dtype: 'F32', shape, elements: rows * columns, bytes: codes.bytes + scales.bytes })
    }
    this.tensors = tensors
    this.#formats = formats
  }

  async read(name: string, target?: Float32Array): Promise<Float32Array> {
    if (!this.#formats.has(name)) return this.#stored.read(name, target)
    const data = dequantize(await this.matrix(name))
    if (!target) return data
    if (target.length !== data.length)
      throw new LmError('SHAPE_MISMATCH', `"${name}" of ${this.path} has ${data.length} elements, the target ${target.length}`)
    target.set(data)
    return target
  }

  async readHost(name: string): Promise<HostTensor> {
    if (!this.#formats.has(name)) return this.#stored.readHost(name)
    return { dtype: 'f32', shape: this.tensors.get(name)!.shape, data: await this.read(name) }
  }

  /** A matrix as it is stored; norms and biases, which are not quantized, as numbers. @throws as `read` */
  async stored(name: string): Promise<HostTensor | QuantizedMatrix> {
    if (this.#formats.has(name)) return this.matrix(name)
    return { dtype: 'f32', shape: this.tensors.get(name)?.shape ?? [], data: await this.#stored.read(name) }
  }

  async matrix(name: string): Promise<QuantizedMatrix> {
    const { bits, block } = this.#formats.get(name)!
    const { data: codes } = await this.#stored.readHost(codesOf(name))
    const scales = await this.#stored.read(scalesOf(name))
    const shape = this.tensors.get(name)!.shape as readonly [number, number]
    return { dtype: 'quantized', shape, bits, block, codes: codes as Uint8Array, scales }
  }

  close(): Promise<void> {
    return this.#stored.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #checked(name: string, dtype: string, shape: readonly number[]): TensorInfo {
    const found = this.#stored.tensors.get(name)
    if (!found) throw new LmError('TENSOR_MISSING', `${this.path} lacks "${name}", which quantization_config calls for`)
    if (found.dtype === dtype && found.shape.join() === shape.join()) return found
    throw new LmError(
      'SHAPE_MISMATCH',
      `"${name}" in ${this.path} is ${found.dtype} [${found.shape.join(', ')}], quantization_config calls for ${dtype} [${shape.join(', ')}]`,
    )
  }
}
