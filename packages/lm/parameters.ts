import type { ModelConfig } from './config.js'

/** One weight of the model, under its Hugging Face name. */
export interface ParameterSpec {
  readonly name: string
  /** Matrices are [out, in], their biases [out]; the embedding is [vocabulary, dim]; norms are [dim], of one head [head dim]. */
  readonly shape: readonly number[]
  readonly kind: 'embedding' | 'matrix' | 'norm' | 'bias'
  /** Whether weight decay applies: to everything but norms and biases. */
  readonly decay: boolean
  /** Standard deviation of the normal distribution it starts from; 0 for norms, which start at one, and for biases, which start at zero. */
  readonly initStd: number
}

const INIT_STD = 0.02

/**
 * Every weight in the order of the forward pass. Normal(0, 0.02); the projections back into the residual stream
 * 0.02/√(2·layers) so that its variance does not grow with depth (GPT-2); norms start at one, biases at zero.
 */
export function parameterSpecs(config: ModelConfig): ParameterSpec[] {
  const { vocabSize, dim, hidden, headDim, qkvBias, outputBias, mlpBias, qkNorm } = config
  const query = config.heads * headDim
  const kv = config.kvHeads * headDim
  const residualStd = INIT_STD / Math.sqrt(2 * config.layers)
  const matrix = (name: string, out: number, inputs: number, initStd = INIT_STD): ParameterSpec => ({
    name: `${name}.weight`,
    shape: [out, inputs],
    kind: 'matrix',
    decay: true,
    initStd,
  })
  const vector = (name: string, size: number, kind: 'norm' | 'bias'): ParameterSpec => ({
    name,
    shape: [size],
    kind,
    decay: false,
    initStd: 0,
  })
  const norm = (name: string, size = dim) => vector(`${name}.weight`, size, 'norm')
  const linear = (name: string, out: number, inputs: number, hasBias: boolean, initStd?: number): ParameterSpec[] =>
    hasBias ? [matrix(name, out, inputs, initStd), vector(`${name}.bias`, out, 'bias')] : [matrix(name, out, inputs, initStd)]
  return [
    { ...matrix('model.embed_tokens', vocabSize, dim), kind: 'embedding' },
    ...Array.from({ length: config.layers }, (_, index) => `model.layers.${index}`).flatMap((layer) => [
      norm(`${layer}.input_layernorm`),
      ...linear(`${layer}.self_attn.q_proj`, query, dim, qkvBias),
      ...linear(`${layer}.self_attn.k_proj`, kv, dim, qkvBias),
      ...linear(`${layer}.self_attn.v_proj`, kv, dim, qkvBias),
      ...linear(`${layer}.self_attn.o_proj`, dim, query, outputBias, residualStd),
      ...(qkNorm ? [norm(`${layer}.self_attn.q_norm`, headDim), norm(`${layer}.self_attn.k_norm`, headDim)] : []),
      norm(`${layer}.post_attention_layernorm`),
      ...linear(`${layer}.mlp.gate_proj`, hidden, dim, mlpBias),
      ...linear(`${layer}.mlp.up_proj`, hidden, dim, mlpBias),
      ...linear(`${layer}.mlp.down_proj`, dim, hidden, mlpBias, residualStd),
    ]),
    norm('model.norm'),
    ...(config.tieEmbeddings ? [] : [matrix('lm_head', vocabSize, dim)]),
  ]
}
