import { dtypes, type HostTensor, sizeOf, type TypedArray } from '@enigma/tensor'
import type { Batch } from '../compile-step.js'
import { NnError } from '../errors.js'

/** Examples by number. A data loader asks for the ones of a batch. */
export interface Dataset {
  /** Number of examples. */
  readonly length: number
  /** The examples at these positions, one after the other along a new first dimension of each tensor. */
  batch(indices: readonly number[]): Batch | Promise<Batch>
}

/**
 * A data set over tensors whose first dimension counts the examples, as PyTorch's `TensorDataset`.
 * @throws NnError SHAPE_MISMATCH when they differ in it
 */
export function tensorDataset(tensors: Batch): Dataset {
  const entries = Object.entries(tensors)
  const length = entries[0]?.[1].shape[0] ?? 0
  for (const [name, { shape }] of entries)
    if (shape[0] !== length)
      throw new NnError('SHAPE_MISMATCH', `Tensor '${name}' [${shape}] has not ${length} examples as '${entries[0]![0]}' has.`)
  return { length, batch: (indices) => Object.fromEntries(entries.map(([name, tensor]) => [name, rows(tensor, indices)])) }
}

/** Part of a data set: the first examples for training and the last for validation, say. As PyTorch's `Subset`. */
export function subset(dataset: Dataset, from: number, to = dataset.length): Dataset {
  const [start, end] = [Math.max(0, from), Math.min(dataset.length, to)]
  return { length: Math.max(0, end - start), batch: (indices) => dataset.batch(indices.map((index) => index + start)) }
}

function rows({ dtype, shape, data }: HostTensor, indices: readonly number[]): HostTensor {
  const [, ...rest] = shape
  const size = sizeOf(rest)
  const result: TypedArray = new dtypes[dtype].array(indices.length * size)
  for (const [row, index] of indices.entries())
    (result as { set(values: TypedArray, offset: number): void }).set(data.subarray(index * size, (index + 1) * size), row * size)
  return { dtype, shape: [indices.length, ...rest], data: result }
}
