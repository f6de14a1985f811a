/** Tokens that may come next, likeliest first, with weights that are proportional to their probabilities. */
export interface Candidates {
  readonly tokens: readonly number[]
  readonly weights: readonly number[]
}

/**
 * The k likeliest tokens (0: all) at a temperature, the lower id first where two are equal; those with a logit of -∞ are left out.
 * Dividing by the temperature keeps the order, so that cutting first is the same and spares the exponentials.
 */
export function candidatesOf(logits: Float32Array, topK: number, temperature: number): Candidates {
  const chosen = topK > 0 && topK < logits.length ? largest(logits, topK) : Array.from(logits.keys())
  const tokens = likeliestFirst(
    logits,
    chosen.filter((token) => logits[token]! > Number.NEGATIVE_INFINITY),
  )
  const peak = logits[tokens[0]!]!
  // A bias can make logits infinite: those are then alike, and all others nothing.
  const weight = (logit: number) => (logit === peak ? 1 : Math.exp((logit - peak) / temperature))
  return { tokens, weights: tokens.map((token) => weight(logits[token]!)) }
}

/** Ids are below this, so that one and 32 bits of a logit make a number that is exact. */
const idRange = 2 ** 21

/** Tokens in the order of their logits, the lower id first where two are equal. Plain numbers sort many times faster than by a comparison of ours. */
function likeliestFirst(logits: Float32Array, tokens: readonly number[]): number[] {
  const count = tokens.length
  const values = new Float32Array(count)
  // Adding 0 makes one zero of the two.
  for (let index = 0; index < count; index++) values[index] = logits[tokens[index]!]! + 0
  // Bits of floats rise with them where they are positive, and fall where they are negative.
  const bits = new Uint32Array(values.buffer)
  const keys = new Float64Array(count)
  for (let index = 0; index < count; index++) {
    const bit = bits[index]!
    const rank = bit >>> 31 ? bit : 0x7fffffff - bit
    keys[index] = rank * idRange + tokens[index]!
  }
  keys.sort()
  const sorted = new Array<number>(count)
  for (let index = 0; index < count; index++) sorted[index] = keys[index]! % idRange
  return sorted
}

/** The first `count` candidates. */
export function first({ tokens, weights }: Candidates, count: number): Candidates {
  return { tokens: tokens.slice(0, count), weights: weights.slice(0, count) }
}

export function argmax(values: Float32Array): number {
  let best = 0
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i
  return best
}

/** Indices of the k largest values, in no order; ties go to the lower index. One pass with a heap of the best k so far. */
export function largest(values: Float32Array, k: number): number[] {
  const heap = new Int32Array(k)
  for (let index = 0; index < k; index++) heap[index] = index
  for (let at = (k >> 1) - 1; at >= 0; at--) sink(heap, values, at)
  let least = k > 0 ? values[heap[0]!]! : Number.POSITIVE_INFINITY
  for (let index = k; index < values.length; index++) {
    if (values[index]! > least) {
      heap[0] = index
      sink(heap, values, 0)
      least = values[heap[0]!]!
    }
  }
  return Array.from(heap)
}

/** Moves the index at `at` down until none below it is worse: the worst of all is at 0. */
function sink(heap: Int32Array, values: Float32Array, at: number): void {
  const index = heap[at]!
  for (;;) {
    let child = 2 * at + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && worse(values, heap[child + 1]!, heap[child]!)) child++
    if (!worse(values, heap[child]!, index)) break
    heap[at] = heap[child]!
    at = child
  }
  heap[at] = index
}

const worse = (values: Float32Array, a: number, b: number): boolean =>
  values[a]! < values[b]! || (values[a] === values[b] && a > b)
