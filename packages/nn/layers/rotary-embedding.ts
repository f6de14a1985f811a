import { type Builder, rotaryEmbedding, type Tensor } from '@enigma/tensor'

/** theta^(-2i/dim) for each pair i: the angle it turns from one position to the next (Su et al. 2021). */
export function rotaryFrequencies(dim: number, theta = 10000): Float64Array {
  return Float64Array.from({ length: dim / 2 }, (_, i) => theta ** ((-2 * i) / dim))
}

/** scale · cos and scale · sin of position · frequency, each [positions, frequencies]. */
export function rotaryTables(
  positions: number,
  frequencies: ArrayLike<number>,
  scale = 1,
): { cosine: Float32Array; sine: Float32Array } {
  const half = frequencies.length
  const cosine = new Float32Array(positions * half)
  const sine = new Float32Array(positions * half)
  for (let position = 0; position < positions; position++)
    for (let i = 0; i < half; i++) {
      const angle = position * frequencies[i]!
      cosine[position * half + i] = scale * Math.cos(angle)
      sine[position * half + i] = scale * Math.sin(angle)
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
    { batch, length, frequencies, scale = 1 }: { batch: number; length: number; frequencies: ArrayLike<number>; scale?: number },
  ) {
    const { cosine, sine } = rotaryTables(length, frequencies, scale)
    this.#cosine = builder.constant(cosine, [length, frequencies.length])
    this.#sine = builder.constant(sine, [length, frequencies.length])
    const positions = Array.from({ length: batch * length }, (_, index) => index % length)
    this.#positions = builder.constant(positions, [batch, length], 'i64')
  }

  /** x [batch, heads, length, dim] rotated by its positions. */
  apply(x: Tensor): Tensor {
    return rotaryEmbedding(x, this.#positions, this.#cosine, this.#sine)
  }
}
