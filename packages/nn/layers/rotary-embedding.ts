import { type Builder, rotaryEmbedding, type Tensor } from '@enigma/tensor'

/** cos and sin of position · theta^(-2i/dim), each [positions, dim/2] (Su et al. 2021). */
export function rotaryTables(positions: number, dim: number, theta = 10000): { cosine: Float32Array; sine: Float32Array } {
  const half = dim / 2
  const cosine = new Float32Array(positions * half)
  const sine = new Float32Array(positions * half)
  for (let position = 0; position < positions; position++)
    for (let i = 0; i < half; i++) {
      const angle = position * theta ** ((-2 * i) / dim)
      cosine[position * half + i] = Math.cos(angle)
      sine[position * half + i] = Math.sin(angle)
    }
  return { cosine, sine }
}

/**
 * Rotary position embedding for one program: tables made once, used by every layer. Positions are 0 … length-1 in each of
 * `batch` rows. Half-split pairing, as in Hugging Face's Llama.
 */
export class RotaryEmbedding {
  readonly #positions: Tensor
  readonly #cosine: Tensor
  readonly #sine: Tensor

  constructor(
    builder: Builder,
    { batch, length, dim, theta = 10000 }: { batch: number; length: number; dim: number; theta?: number },
  ) {
    const { cosine, sine } = rotaryTables(length, dim, theta)
    this.#cosine = builder.constant(cosine, [length, dim / 2])
    this.#sine = builder.constant(sine, [length, dim / 2])
    const positions = Array.from({ length: batch * length }, (_, index) => index % length)
    this.#positions = builder.constant(positions, [batch, length], 'i64')
  }

  /** x [batch, heads, length, dim] rotated by its positions. */
  apply(x: Tensor): Tensor {
    return rotaryEmbedding(x, this.#positions, this.#cosine, this.#sine)
  }
}
