import type { Tensor } from '../tensor.js'

/** A linear map along one dimension: result[row] = Σ weight[row, column] · x[column]. */
export interface AxisWeights {
  readonly rows: number
  readonly columns: number
  readonly data: Float32Array
  /** Adds to one weight; rows and columns outside are left out. */
  add(row: number, column: number, weight: number): void
}

/** All weights 0. */
export function axisWeights(rows: number, columns: number): AxisWeights {
  const data = new Float32Array(rows * columns)
  return {
    rows,
    columns,
    data,
    add(row, column, weight) {
      if (row >= 0 && row < rows && column >= 0 && column < columns) data[row * columns + column]! += weight
    },
  }
}

/** Applies a map along each spatial dimension of x [N, C, ...], as matrix products, which have derivatives. */
export function weightSpace(x: Tensor, maps: readonly AxisWeights[]): Tensor {
  return maps.reduce((result, { rows, columns, data }, index) => {
    const axis = index + 2
    if (index === maps.length - 1) return result.matmul(result.builder.constant(data, [rows, columns]), { transB: true })
    // All that follows the dimension is one row of numbers.
    const rest = result.shape.slice(axis + 1).reduce<number>((product, size) => product * (size as number), 1)
    const flat = result.reshape([...result.shape.slice(0, axis), columns, rest])
    const mapped = result.builder.constant(data, [rows, columns]).matmul(flat)
    return mapped.reshape([...result.shape.slice(0, axis), rows, ...result.shape.slice(axis + 1)])
  }, x)
}
