import type { StateDict } from '@enigma/nn'
import type { HostTensor } from '@enigma/tensor'
import type { ModelConfig } from '../config.js'
import { LmError } from '../errors.js'
import { type ParameterSpec, parameterSpecs } from '../parameters.js'
import { type BlockFormat, blocksOf, dequantize, type QuantizedMatrix, quantize, rowBytes } from './quantized-matrix.js'

/** Weights of a model by name, some of them in few bits. */
export type ModelWeights = Readonly<Record<string, HostTensor | QuantizedMatrix>>

/** How the weights of a model are rounded for inference. */
export interface Quantization {
  readonly name: QuantizationName
  /** Bits of the matrices of the layers. */
  readonly bits: 4 | 8
  /** Bits of the embedding and the head, to which the error of four bits matters most. */
  readonly embeddingBits: 8
  /** Neighbours of a row that share a scale. */
  readonly groupSize: number
}

const BITS = { int8: 8, int4: 4 } as const

export type QuantizationName = keyof typeof BITS

/** The names by which quantization is asked for. */
const QUANTIZATIONS = Object.keys(BITS) as readonly QuantizationName[]

/** What the native kernels have: a power of two from 16 to 256. */
const GROUP_SIZES: readonly number[] = [16, 32, 64, 128, 256]

/** @throws LmError INVALID_OPTION for another name or group size */
export function quantizationOf(name: string, groupSize = 32): Quantization {
  if (!Object.hasOwn(BITS, name))
    throw new LmError('INVALID_OPTION', `quantization must be one of ${QUANTIZATIONS.join(', ')}, got ${JSON.stringify(name)}`)
  if (!GROUP_SIZES.includes(groupSize))
    throw new LmError('INVALID_OPTION', `groupSize must be one of ${GROUP_SIZES.join(', ')}, got ${groupSize}`)
  const known = name as QuantizationName
  return { name: known, bits: BITS[known], embeddingBits: 8, groupSize }
}

/** The format of a parameter; undefined where it stays as it is: norms and biases are few and matter much. */
export function formatOf(
  { name, kind }: ParameterSpec,
  { bits, embeddingBits, groupSize }: Quantization,
): BlockFormat | undefined {
  if (kind !== 'embedding' && kind !== 'matrix') return undefined
  return { bits: kind === 'embedding' || name.startsWith('lm_head.') ? embeddingBits : bits, block: groupSize }
}

/** One parameter as the quantization wants it. @throws LmError TENSOR_OVERFLOW */
export function quantizeParameter(
  spec: ParameterSpec,
  data: Float32Array,
  quantization: Quantization | null,
): HostTensor | QuantizedMatrix {
  const format = quantization && formatOf(spec, quantization)
  if (!format) return { dtype: 'f32', shape: spec.shape, data }
  return quantize(data, spec.shape as readonly [number, number], format, `'${spec.name}'`)
}

/** All parameters. @throws LmError TENSOR_MISSING, TENSOR_OVERFLOW */
export function quantizedWeights(config: ModelConfig, weights: StateDict, quantization: Quantization | null): ModelWeights {
  if (!quantization) return weights
  const entries = parameterSpecs(config).map((spec) => {
    const tensor = weights[spec.name]
    if (!tensor) throw new LmError('TENSOR_MISSING', `The model has no tensor '${spec.name}'.`)
    return [spec.name, quantizeParameter(spec, tensor.data as Float32Array, quantization)] as const
  })
  return Object.fromEntries(entries)
}

export const isQuantized = (tensor: HostTensor | QuantizedMatrix): tensor is QuantizedMatrix => tensor.dtype === 'quantized'

/** Bytes in memory. */
export const bytesOf = (tensor: HostTensor | QuantizedMatrix): number =>
  isQuantized(tensor) ? tensor.codes.byteLength + tensor.scales.byteLength : tensor.data.byteLength

/** Bytes that the weights of a model take in memory. */
export function weightBytes(config: ModelConfig, quantization: Quantization | null): number {
  return parameterSpecs(config).reduce((sum, spec) => {
    const format = quantization && formatOf(spec, quantization)
    const [rows, columns] = spec.shape as readonly [number, number]
    if (!format) return sum + 4 * spec.shape.reduce((product, size) => product * size, 1)
    return sum + rows * (rowBytes(columns, format) + 4 * blocksOf(columns, format))
  }, 0)
}

/** The weights as float32, four or eight times as large. */
export function dequantized(weights: ModelWeights): Record<string, HostTensor> {
  const float = (tensor: HostTensor | QuantizedMatrix): HostTensor =>
    isQuantized(tensor) ? { dtype: 'f32', shape: tensor.shape, data: dequantize(tensor) } : tensor
  return Object.fromEntries(Object.entries(weights).map(([name, tensor]) => [name, float(tensor)]))
}
