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

const settingsOf = ({ dropout: p = 0.1, layerNormEps = 1e-5, batchFirst = false, bias = true }: TransformerLayerOptions) => ({
  attention: { dropout: p, bias, batchFirst },
  norm: { eps: layerNormEps, bias },
})

/** What encoder and decoder layers share: residual parts, normalised before or after, and the feed-forward part. */
abstract class TransformerLayer extends Layer {
  readonly #dropout: number
  readonly #activation: 'relu' | 'gelu'
  readonly #normFirst: boolean

  constructor(options: TransformerLayerOptions) {
    super()
    const {
      dropout: p = 0.1,
      activation = 'relu',
      normFirst = false,
    } = optionsOf(new.target.name, options, 'dimFeedforward: 512')
    this.#dropout = p
    this.#activation = activation
    this.#normFirst = normFirst
  }

  protected dropped(x: Tensor): Tensor {
    return this.training ? dropout(x, this.#dropout) : x
  }

  protected residual(x: Tensor, norm: LayerNorm, part: (x: Tensor) => Tensor): Tensor {
    return this.#normFirst ? x.add(this.dropped(part(norm.forward(x)))) : norm.forward(x.add(this.dropped(part(x))))
  }

  protected feedForward(x: Tensor, first: Linear, second: Linear): Tensor {
    const hidden = first.forward(x)
    return second.forward(this.dropped(this.#activation === 'gelu' ? gelu(hidden) : hidden.relu()))
  }
}

/** Self-attention and a feed-forward part, each with a residual connection (Vaswani et al. 2017), as PyTorch's. */
export class TransformerEncoderLayer extends TransformerLayer {
  readonly self_attn: MultiheadAttention
  readonly linear1: Linear
  readonly linear2: Linear
  readonly norm1: LayerNorm
  readonly norm2: LayerNorm

  constructor(dModel: number, nhead: number, options: TransformerLayerOptions = {}) {
    super(options)
    const { dimFeedforward = 2048, bias = true, seed } = options
    const { attention, norm } = settingsOf(options)
    this.self_attn = new MultiheadAttention(dModel, nhead, { ...attention, seed: childSeed(seed, 0) })
    this.linear1 = new Linear(dModel, dimFeedforward, { bias, seed: childSeed(seed, 1) })
    this.linear2 = new Linear(dimFeedforward, dModel, { bias, seed: childSeed(seed, 2) })
    this.norm1 = new LayerNorm(dModel, norm)
    this.norm2 = new LayerNorm(dModel, norm)
  }

  /** x [length, batch, dModel] → the same shape. */
  override forward(x: Tensor, masks: AttentionMasks = {}): Tensor {
    const attended = this.residual(x, this.norm1, (value) => this.self_attn.forward(value, value, value, masks))
    return this.residual(attended, this.norm2, (value) => this.feedForward(value, this.linear1, this.linear2))
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
  readonly self_attn: MultiheadAttention
  readonly multihead_attn: MultiheadAttention
  readonly linear1: Linear
  readonly linear2: Linear
  readonly norm1: LayerNorm
  readonly norm2: LayerNorm
  readonly norm3: LayerNorm

  constructor(dModel: number, nhead: number, options: TransformerLayerOptions = {}) {
    super(options)
    const { dimFeedforward = 2048, bias = true, seed } = options
    const { attention, norm } = settingsOf(options)
    this.self_attn = new MultiheadAttention(dModel, nhead, { ...attention, seed: childSeed(seed, 0) })
    this.multihead_attn = new MultiheadAttention(dModel, nhead, { ...attention, seed: childSeed(seed, 1) })
    this.linear1 = new Linear(dModel, dimFeedforward, { bias, seed: childSeed(seed, 2) })
    this.linear2 = new Linear(dimFeedforward, dModel, { bias, seed: childSeed(seed, 3) })
    this.norm1 = new LayerNorm(dModel, norm)
    this.norm2 = new LayerNorm(dModel, norm)
    this.norm3 = new LayerNorm(dModel, norm)
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
    return this.residual(informed, this.norm3, (value) => this.feedForward(value, this.linear1, this.linear2))
  }
}

interface StackOptions {
  /** Applied to the last layer's output; pre-norm layers need it. */
  readonly norm?: LayerNorm
}

function stack<L extends Layer>(numLayers: number, make: (index: number) => L): L[] {
  if (!Number.isInteger(numLayers) || typeof make !== 'function')
    throw new NnError('INVALID_ARGUMENT', 'A stack takes the number of layers and a function that makes each: (6, () => new …).')
  return Array.from({ length: numLayers }, (_, index) => make(index))
}

/** Encoder layers on top of each other. `make` gives each its own, where PyTorch copies one. */
export class TransformerEncoder extends Layer {
  readonly layers: readonly TransformerEncoderLayer[]
  readonly norm?: LayerNorm

  constructor(numLayers: number, make: (index: number) => TransformerEncoderLayer, options: StackOptions = {}) {
    super()
    const { norm } = optionsOf('TransformerEncoder', options, 'norm: new LayerNorm(512)')
    this.layers = stack(numLayers, make)
    if (norm) this.norm = norm
  }

  override forward(x: Tensor, masks: AttentionMasks = {}): Tensor {
    const y = this.layers.reduce((value, layer) => layer.forward(value, masks), x)
    return this.norm ? this.norm.forward(y) : y
  }
}

/** Decoder layers on top of each other, all over the same memory. */
export class TransformerDecoder extends Layer {
  readonly layers: readonly TransformerDecoderLayer[]
  readonly norm?: LayerNorm

  constructor(numLayers: number, make: (index: number) => TransformerDecoderLayer, options: StackOptions = {}) {
    super()
    const { norm } = optionsOf('TransformerDecoder', options, 'norm: new LayerNorm(512)')
    this.layers = stack(numLayers, make)
    if (norm) this.norm = norm
  }

  override forward(x: Tensor, memory: Tensor, masks: DecoderMasks = {}): Tensor {
    const y = this.layers.reduce((value, layer) => layer.forward(value, memory, masks), x)
    return this.norm ? this.norm.forward(y) : y
  }
}
