import {
  type Builder,
  gatherQuantized,
  type HostTensor,
  matmulQuantized,
  type QuantizedOperand,
  type Tensor,
} from '@enigma/tensor'
import { LmError } from '../errors.js'
import { isQuantized, type ModelWeights } from '../quantization/quantization.js'
import { type QuantizedMatrix, stackQuantized } from '../quantization/quantized-matrix.js'

/** Matrices on top of each other, as they lie; a single one is not copied. */
export function stacked(matrices: readonly HostTensor[]): { data: Float32Array; rows: number; columns: number } {
  const rows = matrices.reduce((sum, matrix) => sum + matrix.shape[0]!, 0)
  const columns = matrices[0]!.shape[1] ?? 1
  if (matrices.length === 1) return { data: matrices[0]!.data as Float32Array, rows, columns }
  const data = new Float32Array(matrices.reduce((sum, matrix) => sum + matrix.data.length, 0))
  let offset = 0
  for (const matrix of matrices) {
    data.set(matrix.data as Float32Array, offset)
    offset += matrix.data.length
  }
  return { data, rows, columns }
}

/** The weights of a model as constants of a program, whatever they are stored as. */
export class StoredMatrices {
  readonly #weights: ModelWeights
  readonly #builder: Builder
  readonly #constants = new Map<string, Tensor | QuantizedOperand>()

  constructor(weights: ModelWeights, builder: Builder) {
    this.#weights = weights
    this.#builder = builder
  }

  /** x · Wᵀ for the matrices of these names [out, in] on top of each other. @throws LmError TENSOR_MISSING */
  product(x: Tensor, ...names: string[]): Tensor {
    const weight = this.#constant(names)
    return isOperand(weight) ? matmulQuantized(x, weight) : x.matmul(weight, { transB: true })
  }

  /** The rows at `indices` of the matrix of a name. @throws LmError TENSOR_MISSING */
  rows(name: string, indices: Tensor): Tensor {
    const table = this.#constant([name])
    if (!isOperand(table)) return table.gatherRows(indices)
    const { shape } = this.#get(name)
    const filled = gatherQuantized(table, indices)
    return filled.shape.at(-1) === shape[1] ? filled : filled.slice(-1, 0, shape[1]!)
  }

  /** A norm's weight. */
  vector(name: string): Tensor {
    const { shape, data } = this.float(name)
    return this.#builder.constant(data, shape)
  }

  /** What is never quantized. @throws LmError TENSOR_MISSING */
  float(name: string): HostTensor {
    const found = this.#get(name)
    if (isQuantized(found)) throw new LmError('TENSOR_MISSING', `The model has '${name}' in ${found.bits} bits only.`)
    return found
  }

  #get(name: string): HostTensor | QuantizedMatrix {
    const found = this.#weights[name]
    if (!found) throw new LmError('TENSOR_MISSING', `The model has no tensor '${name}'.`)
    return found
  }

  /** Equal matrices are one constant: a tied embedding is table and head. */
  #constant(names: readonly string[]): Tensor | QuantizedOperand {
    const key = names.join()
    let known = this.#constants.get(key)
    if (!known) this.#constants.set(key, (known = this.#make(names)))
    return known
  }

  #make(names: readonly string[]): Tensor | QuantizedOperand {
    const matrices = names.map((name) => this.#get(name))
    if (matrices.every(isQuantized)) {
      const { bits, block, codes, scales, shape } = stackQuantized(matrices)
      const blocks = scales.length / shape[0]
      return {
        ...{ bits, block },
        codes: this.#builder.constant(codes, [shape[0], blocks, codes.length / scales.length], 'u8'),
        scales: this.#builder.constant(scales, [shape[0], blocks]),
      }
    }
    const { data, rows, columns } = stacked(names.map((name) => this.float(name)))
    return this.#builder.constant(data, [rows, columns])
  }
}

const isOperand = (weight: Tensor | QuantizedOperand): weight is QuantizedOperand => 'codes' in weight
