import type { ModelConfig } from './config.js'

/** One weight of the model, under its Hugging Face name. */
export interface ParameterSpec {
  readonly name: string
  /** Matrices are [out, in]; the embedding is [vocabulary, dim]; norms are [dim]. */
  readonly shape: readonly number[]
  readonly kind: 'embedding' | 'matrix' | 'norm'
  /** Whether weight decay applies: to everything but norms. */
  readonly decay: boolean
  /** Standard deviation of the normal distribution it starts from; 0 for norms, which start at one. */
  readonly initStd: number
}

const INIT_STD = 0.02

/**
 * Every weight in the order of the forward pass. Normal(0, 0.02); the projections back into the residual stream
 * 0.02/√(2·layers) so that its variance does not grow with depth (GPT-2); norms start at one.
 */
export function parameterSpecs(config: ModelConfig): ParameterSpec[] {
  const { vocabSize, dim, hidden } = config
  const query = config.heads * config.headDim
  const kv = config.kvHeads * config.headDim
  const residualStd = INIT_STD / Math.sqrt(2 * config.layers)
  const matrix = (name: string, out: number, inputs: number, initStd = INIT_STD): ParameterSpec => ({
    name: `${name}.weight`,
    shape: [out, inputs],
    kind: 'matrix',
    decay: true,
    initStd,
  })
  const norm = (name: string): ParameterSpec => ({ name: `${name}.weight`, shape: [dim], kind: 'norm', decay: false, initStd: 0 })
  return [
    { ...matrix('model.embed_tokens', vocabSize, dim), kind: 'embedding' },
    ...Array.from({ length: config.layers }, (_, index) => `model.layers.${index}`).flatMap((layer) => [
      norm(`${layer}.input_layernorm`),
      matrix(`${layer}.self_attn.q_proj`, query, dim),
      matrix(`${layer}.self_attn.k_proj`, kv, dim),
      matrix(`${layer}.self_attn.v_proj`, kv, dim),
      matrix(`${layer}.self_attn.o_proj`, dim, query, residualStd),
      norm(`${layer}.post_attention_layernorm`),
      matrix(`${layer}.mlp.gate_proj`, hidden, dim),
      matrix(`${layer}.mlp.up_proj`, hidden, dim),
      matrix(`${layer}.mlp.down_proj`, dim, hidden, residualStd),
    ]),
    norm('model.norm'),
    ...(config.tieEmbeddings ? [] : [matrix('lm_head', vocabSize, dim)]),
  ]
}
