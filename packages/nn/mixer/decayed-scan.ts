import { type Builder, concat, type Tensor } from '@enigma/tensor'

/** Added to the exponent above the diagonal, so that what lies in the future counts exactly nothing. */
const never = -1e9

/** [size, size] with one value on and below the diagonal and another above. */
function triangle(builder: Builder, size: number, below: number, above: number): Tensor {
  const data = Float32Array.from({ length: size * size }, (_, at) => (at % size <= Math.floor(at / size) ? below : above))
  return builder.constant(data, [size, size])
}

/** 1 where row t may see column s ≤ t, else 0. */
export const causal = (builder: Builder, size: number): Tensor => triangle(builder, size, 1, 0)

/** Running sums over the last dimension of x [rows, steps]. */
export function runningSum(x: Tensor): Tensor {
  return x.matmul(causal(x.builder, x.shape[1] as number), { transB: true })
}

/** x [rows, steps, size] one step later: zeros first, the last step dropped. */
export function delay(x: Tensor): Tensor {
  const [rows, steps, size] = x.shape as readonly number[]
  const zeros = x.builder.scalar(0).broadcastTo([rows!, 1, size!])
  return concat([zeros, x.slice(1, 0, steps! - 1)], 1)
}

/** x [rows, steps, …] with zeros after it up to a multiple of `chunk` steps. */
export function padSteps(x: Tensor, chunk: number): Tensor {
  const [rows, steps, ...rest] = x.shape as readonly number[]
  const missing = (chunk - (steps! % chunk)) % chunk
  return missing === 0 ? x : concat([x, x.builder.scalar(0).broadcastTo([rows!, missing, ...rest])], 1)
}

/**
 * s_t = e^(a_t) · s_(t-1) + x_t for x [rows, steps, size] and log decays a ≤ 0 [rows, steps]; s_0 = x_0.
 *
 * Within a chunk it is one product with a triangle of decays; the states at the ends of chunks are a scan of the same kind,
 * `chunk` times shorter. So the work is proportional to steps · chunk · size, however long the sequence, and the program has
 * log(steps) levels instead of one node a step.
 */
export function decayedScan(x: Tensor, logDecay: Tensor, chunk = 16): Tensor {
  const [rows, steps, size] = x.shape as readonly [number, number, number]
  const width = Math.min(chunk, steps)
  const [xs, decays] = [padSteps(x, width), padSteps(logDecay, width)]
  const count = (xs.shape[1] as number) / width
  const sums = runningSum(decays.reshape([rows * count, width]))
  const gaps = sums.reshape([rows * count, width, 1]).sub(sums.reshape([rows * count, 1, width]))
  const weights = gaps.add(triangle(x.builder, width, 0, never)).exp()
  const local = weights.matmul(xs.reshape([rows * count, width, size]))
  if (count === 1) return local
  const last = local.slice(1, width - 1, width).reshape([rows, count, size])
  const ends = decayedScan(last, sums.slice(1, width - 1, width).reshape([rows, count]), chunk)
  const before = delay(ends).reshape([rows * count, 1, size])
  const all = local.add(
    sums
      .exp()
      .reshape([rows * count, width, 1])
      .mul(before),
  )
  return all.reshape([rows, count * width, size]).slice(1, 0, steps)
}
