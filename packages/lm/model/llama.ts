import { init, Layer, nn } from '@enigma/nn'
import { checkpoint, linear, type Tensor } from '@enigma/tensor'
import type { ModelConfig } from '../config.js'
import { parameterSpecs } from '../parameters.js'
import { ropeAngles } from './rope.js'

/** One pre-norm decoder block. Field names are Hugging Face's, so that `stateDict` has the keys of a Llama checkpoint. */
class LlamaDecoderLayer extends Layer {
  readonly input_layernorm: nn.RMSNorm
  readonly self_attn: nn.GroupedQueryAttention
  readonly post_attention_layernorm: nn.RMSNorm
  readonly mlp: nn.SwiGLU

  constructor(config: ModelConfig) {
    super()
    const { dim, heads, kvHeads, headDim, hidden, rmsNormEps, dropout, qkvBias, outputBias } = config
    const qkNormEps = config.qkNorm ? rmsNormEps : undefined
    const window = config.slidingWindow ?? undefined
    this.input_layernorm = new nn.RMSNorm(dim, { eps: rmsNormEps })
    this.self_attn = new nn.GroupedQueryAttention({
      ...{ dim, heads, kvHeads, headDim, qkvBias, outputBias, qkNormEps, window, dropout },
      seed: null,
    })
    this.post_attention_layernorm = new nn.RMSNorm(dim, { eps: rmsNormEps })
    this.mlp = new nn.SwiGLU(dim, hidden, dropout, null, config.mlpBias)
  }

  /** x [batch·length, dim] → the same shape. */
  override forward(x: Tensor, rotary: nn.RotaryEmbedding | null, batch: number, length: number): Tensor {
    const attended = x.add(this.self_attn.forward(this.input_layernorm.forward(x), rotary, batch, length))
    return attended.add(this.mlp.forward(this.post_attention_layernorm.forward(attended)))
  }
}

class LlamaModel extends Layer {
  readonly embed_tokens: nn.Embedding
  readonly layers: readonly LlamaDecoderLayer[]
  readonly norm: nn.RMSNorm
  readonly #config: ModelConfig
  readonly #recompute: boolean

  constructor(config: ModelConfig, recompute: boolean) {
    super()
    this.#config = config
    this.#recompute = recompute
    this.embed_tokens = new nn.Embedding(config.vocabSize, config.dim, { seed: null })
    this.layers = Array.from({ length: config.layers }, () => new LlamaDecoderLayer(config))
    this.norm = new nn.RMSNorm(config.dim, { eps: config.rmsNormEps })
  }

  /** tokens i64 [batch, length] → hidden states [batch·length, dim]. */
  override forward(tokens: Tensor): Tensor {
    const [batch, length] = tokens.shape as readonly [number, number]
    const rotary = new nn.RotaryEmbedding(tokens.builder, {
      batch,
      length,
      ...ropeAngles(this.#config),
    })
    // Matrices all the way: sums of matrix products then fuse, and attention alone sees batch and length apart.
    const embedded = this.embed_tokens.forward(tokens.reshape([batch * length]))
    const hidden = this.layers.reduce<Tensor>((x, layer, index) => {
      const positions = this.#config.noRopeLayers.includes(index) ? null : rotary
      const block = (input: Tensor) => layer.forward(input, positions, batch, length)
      return this.#recompute ? checkpoint(block, x) : block(x)
    }, embedded)
    return this.norm.forward(hidden)
  }
}

/**
 * A Llama-style language model (Touvron et al. 2023): RMSNorm, rotary positions, grouped-query attention, SwiGLU; with what its
 * relatives add (biases, norms of queries and keys, a sliding window), as the configuration says.
 * Weights start as `parameterSpecs` says; `stateDict` and `loadStateDict` speak Hugging Face's names.
 */
export class LlamaForCausalLM extends Layer {
  readonly config: ModelConfig
  readonly model: LlamaModel
  readonly lm_head?: nn.Linear

  /**
   * @param options.seed of the first weights (default 0); null leaves them zero, for weights that are loaded
   * @param options.recompute train with less memory and more time: the backward pass computes each block again instead of keeping
   *   what lies in it. Default false.
   */
  constructor(config: ModelConfig, { seed = 0, recompute = false }: { seed?: number | null; recompute?: boolean } = {}) {
    super()
    this.config = config
    this.model = new LlamaModel(config, recompute)
    if (!config.tieEmbeddings) this.lm_head = new nn.Linear(config.dim, config.vocabSize, { bias: false, seed: null })
    const parameters = new Map(this.namedParameters())
    if (seed === null) return
    const random = new init.Random(seed)
    for (const { name, kind, initStd } of parameterSpecs(config)) {
      const parameter = parameters.get(name)!
      if (kind === 'norm') init.constant(parameter, 1)
      else if (kind === 'bias') init.constant(parameter, 0)
      else init.normal(parameter, initStd, random)
    }
  }

  /** tokens i64 [batch, length] → logits [batch·length, vocabulary]. */
  override forward(tokens: Tensor): Tensor {
    return linear(this.model.forward(tokens), (this.lm_head ?? this.model.embed_tokens).weight)
  }
}
