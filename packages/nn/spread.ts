import { dtypes, type HostTensor, type Share, sizeOf, type TypedArray } from '@enigma/tensor'

/** A tensor of a whole batch and those of its parts: the same memory where they lie in it as they are, else copies. */
export interface Spread {
  readonly parts: readonly HostTensor[]
  /** Gives the parts what the whole has. */
  scatter(): void
  /** Gives the whole what the parts have. @param factors of each part's, where the whole's is a sum of multiples of them */
  gather(factors: readonly number[]): void
}

const nothing = () => undefined

export function spread(whole: HostTensor, share: Share, count: number): Spread {
  if (share.kind === 'same') return { parts: Array(count).fill(whole), scatter: nothing, gather: nothing }
  if (share.kind === 'cut') return cut(whole, share.axis, share.outer ?? 1, count)
  const parts = Array.from({ length: count }, () => like(whole, whole.shape))
  return { parts, scatter: nothing, gather: (factors) => combine(whole, parts, factors) }
}

function like({ dtype }: HostTensor, sizes: readonly number[]): HostTensor {
  return { dtype, shape: sizes, data: new dtypes[dtype].array(sizeOf(sizes)) }
}

const copy = (to: TypedArray, from: TypedArray, at: number) => (to as { set(values: TypedArray, at: number): void }).set(from, at)

/** Stretches of a dimension that holds `outer` rows of batches. */
function cut(whole: HostTensor, axis: number, outer: number, count: number): Spread {
  const shape = whole.shape.map((size, index) => (index === axis ? size / count : size))
  const rows = sizeOf(whole.shape.slice(0, axis)) * outer
  const stretch = sizeOf(shape) / rows
  if (rows === 1) {
    const view = (_: unknown, part: number) => whole.data.subarray(part * stretch, (part + 1) * stretch)
    const parts = Array.from({ length: count }, view).map((data) => ({ dtype: whole.dtype, shape, data }) as HostTensor)
    return { parts, scatter: nothing, gather: nothing }
  }
  const parts = Array.from({ length: count }, () => like(whole, shape))
  const each = (move: (part: TypedArray, from: number, place: number) => void) => {
    for (const [index, { data }] of parts.entries())
      for (let row = 0; row < rows; row++) move(data, row * stretch, (row * count + index) * stretch)
  }
  return {
    parts,
    scatter: () => each((part, from, place) => copy(part, whole.data.subarray(place, place + stretch), from)),
    gather: () => each((part, from, place) => copy(whole.data, part.subarray(from, from + stretch), place)),
  }
}

/** A sum of multiples. Results this small need no kernel. */
function combine({ data }: HostTensor, parts: readonly HostTensor[], factors: readonly number[]): void {
  for (let i = 0; i < data.length; i++) {
    const sum = parts.reduce((total, part, index) => total + Number(part.data[i]) * factors[index]!, 0)
    if (data instanceof BigInt64Array) data[i] = BigInt(Math.round(sum))
    else data[i] = sum
  }
}
