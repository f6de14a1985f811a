import type { ModelConfig } from '../config.js'

/** Hugging Face's names of weights and GGUF's, without their endings; `#` stands for a layer's number. */
const NAMES: readonly (readonly [huggingFace: string, gguf: string])[] = [
  ['model.embed_tokens', 'token_embd'],
  ['model.norm', 'output_norm'],
  ['lm_head', 'output'],
  ['model.layers.#.input_layernorm', 'blk.#.attn_norm'],
  ['model.layers.#.self_attn.q_proj', 'blk.#.attn_q'],
  ['model.layers.#.self_attn.k_proj', 'blk.#.attn_k'],
  ['model.layers.#.self_attn.v_proj', 'blk.#.attn_v'],
  ['model.layers.#.self_attn.o_proj', 'blk.#.attn_output'],
  ['model.layers.#.self_attn.q_norm', 'blk.#.attn_q_norm'],
  ['model.layers.#.self_attn.k_norm', 'blk.#.attn_k_norm'],
  ['model.layers.#.post_attention_layernorm', 'blk.#.ffn_norm'],
  ['model.layers.#.mlp.gate_proj', 'blk.#.ffn_gate'],
  ['model.layers.#.mlp.up_proj', 'blk.#.ffn_up'],
  ['model.layers.#.mlp.down_proj', 'blk.#.ffn_down'],
]

const GGUF_OF: ReadonlyMap<string, string> = new Map(NAMES)

/** GGUF's name of a weight of `parameterSpecs`. */
export function ggufName(name: string): string {
  const [, stem, ending] = /^(.*)\.(weight|bias)$/.exec(name)!
  const layer = /\.(\d+)\./.exec(name)?.[1] ?? ''
  return `${GGUF_OF.get(stem!.replace(/\.\d+\./, '.#.'))!.replace('#', layer)}.${ending}`
}

/**
 * llama.cpp's Llama turns neighbouring pairs (2i, 2i + 1) where Hugging Face's turns halves (i, i + D/2): so the rows of query and key
 * projections change places within each head. How many heads a weight has whose rows do; 0 for all others.
 */
export function turnedHeads(name: string, { heads, kvHeads }: ModelConfig): number {
  return /\.q_proj\./.test(name) ? heads : /\.k_proj\./.test(name) ? kvHeads : 0
}

/** The rows of each head from halves to neighbours, or back. `data` is [rows, columns]; a bias has one column. */
export function turnRows(
  data: Float32Array,
  rows: number,
  heads: number,
  direction: 'to neighbours' | 'to halves',
): Float32Array {
  const columns = data.length / rows
  const size = rows / heads
  const result = new Float32Array(data.length)
  for (let head = 0; head < heads; head++)
    for (let row = 0; row < size; row++) {
      const neighbour = (row % (size / 2)) * 2 + Math.floor(row / (size / 2))
      const [from, to] = direction === 'to neighbours' ? [row, neighbour] : [neighbour, row]
      const at = (head * size + from) * columns
      result.set(data.subarray(at, at + columns), (head * size + to) * columns)
    }
  return result
}
