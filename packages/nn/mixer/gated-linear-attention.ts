import type { Tensor } from '@enigma/tensor'
import { causal, decayedScan, delay, padSteps, runningSum } from './decayed-scan.js'

/** Tokens in a chunk. With decays of at least 1/e a token, e^chunk and its inverse are far from float32's limits. */
const chunkSize = 64

/**
 * S_t = α_t · S_(t-1) + k_tᵀ v_t and o_t = q_t · S_t for q, k [rows, T, key], v [rows, T, value] and log α [rows, T] in [-1, 0]:
 * linear attention whose state forgets by a factor that the data choose (Yang et al. 2024, "Gated Linear Attention"; one factor a
 * head as in Mamba-2, Dao & Gu 2024). In chunks: attention without softmax inside, a state of key · value numbers between them, so
 * O(T) time and memory.
 */
export function gatedLinearAttention(q: Tensor, k: Tensor, v: Tensor, logDecay: Tensor, chunk = chunkSize): Tensor {
  const [rows, steps, key] = q.shape as readonly [number, number, number]
  const value = v.shape[2] as number
  const width = Math.min(chunk, steps)
  const count = Math.ceil(steps / width)
  const pieces = (x: Tensor) => padSteps(x, width).reshape([rows * count, width, ...x.shape.slice(2)])

  const sums = runningSum(pieces(logDecay))
  const exponents = sums.reshape([rows * count, width, 1])
  const queries = pieces(q).mul(exponents.exp())
  const keys = pieces(k).mul(exponents.neg().exp())
  const values = pieces(v)
  const scores = queries.matmul(keys, { transB: true }).mul(causal(q.builder, width))
  const within = scores.matmul(values)
  if (count === 1) return within

  const total = sums.slice(1, width - 1, width)
  const added = keys.matmul(values, { transA: true }).mul(total.exp().reshape([rows * count, 1, 1]))
  const states = decayedScan(added.reshape([rows, count, key * value]), total.reshape([rows, count]))
  const output = within.add(queries.matmul(delay(states).reshape([rows * count, key, value])))
  return output.reshape([rows, count * width, value]).slice(1, 0, steps)
}
