import { dropout, gelu, type Tensor } from '@enigma/tensor'
import { NnError } from '../errors.js'
import { childSeed, type Seed } from '../init/index.js'
import { Layer } from '../layer.js'
import { optionsOf } from '../options.js'
import { Linear } from './linear.js'
import { type AttentionMasks, MultiheadAttention } from './multihead-attention.js'
import { LayerNorm } from './normalization.js'

export interface TransformerLayerOptions {
  /** Features between the two linear layers. Default 2048. */
  readonly dimFeedforward?: number
  /** After each part and within the feed-forward part. Default 0.1. */
  readonly dropout?: number
  /** Default `relu`. */
  readonly activation?: 'relu' | 'gelu'
  readonly layerNormEps?: number
  /** Sequences are [batch, length, features] instead of [length, batch, features]. Default false, as in PyTorch. */
  readonly batchFirst?: boolean
  /** Normalise before each part instead of after. Default false. */
  readonly normFirst?: boolean
  /** Default true. */
  readonly bias?: boolean
  readonly seed?: Seed
}

/**
 * What encoder and decoder layers share: self-attention and a feed-forward part, each with a residual connection and a norm before or
 * after it.
 */
abstract class TransformerLayer extends Layer {
  readonly self_attn: MultiheadAttention
  readonly linear1: Linear
  readonly linear2: Linear
  readonly norm1: LayerNorm
  readonly norm2: LayerNorm
  readonly #dropout: number
  readonly #activation: 'relu' | 'gelu'
  readonly #normFirst: boolean

  constructor(dModel: number, nhead: number, options: TransformerLayerOptions = {}) {
    super()
    const { dimFeedforward = 2048, bias = true, seed } = optionsOf(new.target.name, options, 'dimFeedforward: 512')
    const { dropout: p = 0.1, activation = 'relu', normFirst = false } = options
    this.#dropout = p
    this.#activation = activation
    this.#normFirst = normFirst
    this.self_attn = attentionOf(dModel, nhead, options, 0)
    this.linear1 = new Linear(dModel, dimFeedforward, { bias, seed: childSeed(seed, 1) })
    this.linear2 = new Linear(dimFeedforward, dModel, { bias, seed: childSeed(seed, 2) })
    this.norm1 = normOf(dModel, options)
    this.norm2 = normOf(dModel, options)
  }

  protected residual(x: Tensor, norm: LayerNorm, part: (x: Tensor) => Tensor): Tensor {
    return this.#normFirst ? x.add(this.#dropped(part(norm.forward(x)))) : norm.forward(x.add(this.#dropped(part(x))))
  }

  protected feedForward(x: Tensor): Tensor {
    const hidden = this.linear1.forward(x)
    return this.linear2.forward(this.#dropped(this.#activation === 'gelu' ? gelu(hidden) : hidden.relu()))
  }

  #dropped(x: Tensor): Tensor {
    return this.training ? dropout(x, this.#dropout) : x
  }
}

function attentionOf(dModel: number, nhead: number, options: TransformerLayerOptions, child: number): MultiheadAttention {
  const { dropout: p = 0.1, batchFirst = false, bias = true, seed } = options
  return new MultiheadAttention(dModel, nhead, { dropout: p, bias, batchFirst, seed: childSeed(seed, child) })
}

const normOf = (dModel: number, { layerNormEps = 1e-5, bias = true }: TransformerLayerOptions) =>
  new LayerNorm(dModel, { eps: layerNormEps, bias })

/** Self-attention and a feed-forward part, each with a residual connection (Vaswani et al. 2017), as PyTorch's. */
export class TransformerEncoderLayer extends TransformerLayer {
  /** x [length, batch, dModel] → the same shape. */
  override forward(x: Tensor, masks: AttentionMasks = {}): Tensor {
    const attended = this.residual(x, this.norm1, (value) => this.self_attn.forward(value, value, value, masks))
    return this.residual(attended, this.norm2, (value) => this.feedForward(value))
  }
}

export interface DecoderMasks {
  /** As `attnMask` of the self-attention. */
  readonly tgtMask?: Tensor
  readonly tgtKeyPaddingMask?: Tensor
  /** Position t sees positions up to t only. */
  readonly tgtIsCausal?: boolean
  /** Of the attention over the memory. */
  readonly memoryMask?: Tensor
  readonly memoryKeyPaddingMask?: Tensor
}

/** Self-attention, attention over an encoder's output, and a feed-forward part, as PyTorch's. */
export class TransformerDecoderLayer extends TransformerLayer {
  readonly multihead_attn: MultiheadAttention
  readonly norm3: LayerNorm

  constructor(dModel: number, nhead: number, options: TransformerLayerOptions = {}) {
    super(dModel, nhead, options)
    this.multihead_attn = attentionOf(dModel, nhead, options, 3)
    this.norm3 = normOf(dModel, options)
  }

  /** x [length, batch, dModel] over memory [source, batch, dModel] → the shape of x. */
  override forward(x: Tensor, memory: Tensor, masks: DecoderMasks = {}): Tensor {
    const { tgtMask, tgtKeyPaddingMask, tgtIsCausal = false, memoryMask, memoryKeyPaddingMask } = masks
    const own = {
      isCausal: tgtIsCausal,
      ...(tgtMask && { attnMask: tgtMask }),
      ...(tgtKeyPaddingMask && { keyPaddingMask: tgtKeyPaddingMask }),
    }
    const other = {
      ...(memoryMask && { attnMask: memoryMask }),
      ...(memoryKeyPaddingMask && { keyPaddingMask: memoryKeyPaddingMask }),
    }
    const attended = this.residual(x, this.norm1, (value) => this.self_attn.forward(value, value, value, own))
    const informed = this.residual(attended, this.norm2, (value) => this.multihead_attn.forward(value, memory, memory, other))
    return this.residual(informed, this.norm3, (value) => this.feedForward(value))
  }
}

interface StackOptions {
  /** Applied to the last layer's output; pre-norm layers need it. */
  readonly norm?: LayerNorm
}

/** Layers on top of each other. `make` gives each its own, where PyTorch copies one. */
abstract class Stack<L extends Layer> extends Layer {
  readonly layers: readonly L[]
  readonly norm?: LayerNorm

  constructor(numLayers: number, make: (index: number) => L, options: StackOptions = {}) {
    super()
    if (!Number.isInteger(numLayers) || typeof make !== 'function')
      throw new NnError(
        'INVALID_ARGUMENT',
        'A stack takes the number of layers and a function that makes each: (6, () => new …).',
      )
    const { norm } = optionsOf(new.target.name, options, 'norm: new LayerNorm(512)')
    this.layers = Array.from({ length: numLayers }, (_, index) => make(index))
    if (norm) this.norm = norm
  }

  protected through(x: Tensor, run: (layer: L, value: Tensor) => Tensor): Tensor {
    const y = this.layers.reduce((value, layer) => run(layer, value), x)
    return this.norm ? this.norm.forward(y) : y
  }
}

/** Encoder layers on top of each other. */
export class TransformerEncoder extends Stack<TransformerEncoderLayer> {
  override forward(x: Tensor, masks: AttentionMasks = {}): Tensor {
    return this.through(x, (layer, value) => layer.forward(value, masks))
  }
}

/** Decoder layers on top of each other, all over the same memory. */
export class TransformerDecoder extends Stack<TransformerDecoderLayer> {
  override forward(x: Tensor, memory: Tensor, masks: DecoderMasks = {}): Tensor {
    return this.through(x, (layer, value) => layer.forward(value, memory, masks))
  }
}
