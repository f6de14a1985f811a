import { concat, dropout, evaluate, type HostTensor, type Tensor } from '@enigma/tensor'
import { NnError } from '../errors.js'
import { childSeed, type Seed } from '../init/index.js'
import { Layer } from '../layer.js'
import { Linear } from '../layers/linear.js'
import { RMSNorm } from '../layers/rms-norm.js'
import { optionsOf } from '../options.js'
import { Parameter } from '../parameter.js'
import { traceNetwork } from '../trace-network.js'
import { type CoherenceDiagnostics, coherenceDiagnostics } from './diagnostics.js'
import { gatedLinearAttention } from './gated-linear-attention.js'
import { type CoherenceProfileName, coherenceProfiles, smoothingOrder } from './profiles.js'

export interface CoherenceMixerOptions {
  readonly dim: number
  readonly heads: number
  /** Below 0. Default -1. */
  readonly curvature?: number
  /** Where channel weights start from, and how strongly curvature smooths. Default 'membrane'. */
  readonly profile?: CoherenceProfileName
  /** Sets to zero the channels whose weight is less than (1 - discard) of the largest, 0 < discard < 1. Default: none. */
  readonly discard?: number
  /** Dropout on the result. Default 0. */
  readonly dropout?: number
  readonly seed?: Seed
}

/** Tokens that the smoothing sees: this one and those before it. */
const taps = 4
/** The least weight of a channel, so that silence has weights too. */
const floor = 1e-6
/** Tokens after which the state of the first and of the last head is down to 1/e, before training. */
const memory = [8, 512] as const

/**
 * A causal token mixer, used in place of attention: [batch, length, dim] → the same, in time and memory O(length).
 *
 * It keeps the quantities of SpiralTorch's Z-space coherence sequencer on top of gated linear attention: tokens are smoothed with
 * their predecessors (order 1/(1 + k|c|) at first, trained from there); queries and keys are projected into the Poincaré ball of
 * curvature c < 0, y = x · tanh(|x|/√-c) / |x|, so that no state can blow up; what is read is weighted by each channel's coherence,
 * its share of the values' energy over all tokens so far. About as many parameters as attention: 4·dim² + O(dim).
 */
export class CoherenceMixer extends Layer {
  readonly smoothing: Parameter
  readonly q_proj: Linear
  readonly k_proj: Linear
  readonly v_proj: Linear
  readonly gate_proj: Linear
  readonly decay_proj: Linear
  readonly norm: RMSNorm
  /** Logarithm of each channel's multiplier. */
  readonly channel_weight: Parameter
  readonly o_proj: Linear
  readonly curvature: number
  /** The smoothing's order before training. */
  readonly order: number
  readonly #dim: number
  readonly #heads: number
  readonly #channels: number
  readonly #discard: number | undefined
  readonly #dropout: number

  /** @throws NnError INVALID_ARGUMENT */
  constructor(options: CoherenceMixerOptions) {
    super()
    const {
      dim,
      heads,
      curvature = -1,
      profile: name = 'membrane',
      discard,
      dropout: p = 0,
      seed,
    } = optionsOf('CoherenceMixer', options, 'dim: 64, heads: 4')
    const refuse = (problem: string) => new NnError('INVALID_ARGUMENT', `CoherenceMixer: ${problem}`)
    if (dim % (2 * heads) !== 0)
      throw refuse(`dim (${dim}) must be a multiple of twice the heads (${heads}); keys have half of a head's size.`)
    if (!(curvature < 0)) throw refuse(`curvature must be below 0, got ${curvature}; a Poincaré ball has none other.`)
    if (discard !== undefined && !(discard > 0 && discard < 1)) throw refuse(`discard must be between 0 and 1, got ${discard}.`)
    this.curvature = curvature
    this.#dim = dim
    this.#heads = heads
    this.#channels = dim / channelWidth(dim / heads)
    this.#discard = discard
    this.#dropout = p
    const profile = coherenceProfiles[name]
    this.order = smoothingOrder(profile, curvature)

    const projection = (index: number, size: number) => new Linear(dim, size, { bias: false, seed: childSeed(seed, index) })
    this.smoothing = new Parameter([taps, dim])
    for (let tap = 0; tap < taps; tap++)
      this.smoothing.data.fill(this.order * (1 - this.order) ** tap, tap * dim, (tap + 1) * dim)
    this.q_proj = projection(0, dim / 2)
    this.k_proj = projection(1, dim / 2)
    this.v_proj = projection(2, dim)
    this.gate_proj = projection(3, dim)
    this.decay_proj = new Linear(dim, heads, { seed: childSeed(seed, 4) })
    for (let head = 0; head < heads; head++) {
      const tokens = memory[0] * (memory[1] / memory[0]) ** (heads > 1 ? head / (heads - 1) : 0.5)
      this.decay_proj.bias!.data[head] = -Math.log(tokens - 1)
    }
    this.norm = new RMSNorm(dim / heads, { eps: 1e-5 })
    const channels = this.#channels
    this.channel_weight = new Parameter(
      [channels],
      Float32Array.from({ length: channels }, (_, channel) => Math.log(profile.weight((channel + 0.5) / channels))),
    )
    this.o_proj = projection(5, dim)
  }

  /** x [batch, length, dim] → the same shape; token t sees the tokens up to t. */
  override forward(x: Tensor): Tensor {
    const { mixed } = this.#mix(x)
    return dropout(this.o_proj.forward(mixed.mul(this.gate_proj.forward(x).silu())), this.training ? this.#dropout : 0)
  }

  /** The coherence of each sequence of x [batch, length, dim]: weights over all its tokens, and what they say. */
  async diagnose(x: HostTensor): Promise<CoherenceDiagnostics[]> {
    const { program, parameters } = traceNetwork({ x: { shape: x.shape } }, (inputs) => {
      const { mixed, weights } = this.#mix(inputs.x)
      const [batch, length] = x.shape as readonly [number, number]
      const channels = mixed.reshape([batch, length, this.#channels, -1])
      const parts = channels.mul(channels).sum([1, 3]).sqrt()
      return { parts, weights: weights.slice(1, length - 1, length).reshape([batch, this.#channels]) }
    })
    const result = await evaluate(program, { x, ...parameters })
    const rows = ({ data }: HostTensor) =>
      Array.from({ length: x.shape[0]! }, (_, row) =>
        Array.from(data.subarray(row * this.#channels, (row + 1) * this.#channels), Number),
      )
    const parts = rows(result.parts!)
    const { curvature, order } = this
    return rows(result.weights!).map((weights, row) => coherenceDiagnostics({ weights, parts: parts[row]!, curvature, order }))
  }

  /** What each token reads [batch, length, dim], weighted by the channels' coherence [batch, length, channels]. */
  #mix(x: Tensor): { readonly mixed: Tensor; readonly weights: Tensor } {
    const [batch, length, dim] = x.shape as readonly [number, number, number]
    if (x.rank !== 3 || dim !== this.#dim)
      throw new NnError(
        'SHAPE_MISMATCH',
        `CoherenceMixer: expected x [batch, length, ${this.#dim}], got [${x.shape.join(', ')}].`,
      )
    const heads = this.#heads
    /** [batch, length, heads · size] → [batch · heads, length, size] */
    const split = (y: Tensor) => {
      const size = (y.shape[2] as number) / heads
      return y
        .reshape([batch, length, heads, size])
        .transpose([0, 2, 1, 3])
        .reshape([batch * heads, length, size])
    }
    const smooth = this.#smooth(x)
    const q = this.#project(split(this.q_proj.forward(smooth)))
    const k = this.#project(split(this.k_proj.forward(smooth)))
    const values = this.v_proj.forward(smooth)
    const decay = split(this.decay_proj.forward(x).sigmoid().neg()).reshape([batch * heads, length])
    const read = this.norm.forward(gatedLinearAttention(q, k, split(values), decay))
    const merged = read.reshape([batch, heads, length, dim / heads]).transpose([0, 2, 1, 3])
    const weights = this.#coherence(values)
    const channels = this.#channels
    const shares = weights.mul(channels).reshape([batch, length, channels, 1])
    const mixed = merged.reshape([batch, length, channels, dim / channels]).mul(shares)
    return { mixed: mixed.reshape([batch, length, dim]), weights }
  }

  /** Each token with its predecessors, by the weights of `smoothing`. */
  #smooth(x: Tensor): Tensor {
    const [batch, length, dim] = x.shape as readonly [number, number, number]
    const weights = x.builder.lift(this.smoothing)
    const padded = concat([x.builder.scalar(0).broadcastTo([batch, taps - 1, dim]), x], 1)
    return Array.from({ length: taps }, (_, tap) =>
      padded.slice(1, taps - 1 - tap, taps - 1 - tap + length).mul(weights.slice(0, tap, tap + 1)),
    ).reduce((sum, part) => sum.add(part))
  }

  /** The exponential map at the origin, as SpiralTorch writes it: x · tanh(|x|/√-c) / |x|. */
  #project(x: Tensor): Tensor {
    const norm = x.mul(x).sum(-1, { keepDims: true }).add(1e-12).sqrt()
    return x.mul(
      norm
        .mul(1 / Math.sqrt(-this.curvature))
        .tanh()
        .div(norm),
    )
  }

  /** Share of each channel in the energy of the tokens so far, [batch, length, channels]; sums to 1. */
  #coherence(values: Tensor): Tensor {
    const [batch, length] = values.shape as readonly [number, number]
    const { builder } = values
    const channels = values.reshape([batch, length, this.#channels, -1])
    const energy = channels.mul(channels).mean(-1)
    const counts = builder.constant(
      Float32Array.from({ length }, (_, t) => 1 / (t + 1)),
      [length, 1],
    )
    const rms = energy
      .cumsum(1)
      .mul(counts)
      .add(floor ** 2)
      .sqrt()
    const weights = rms.mul(builder.lift(this.channel_weight).exp())
    const shares = weights.div(weights.sum(-1, { keepDims: true }))
    if (this.#discard === undefined) return shares
    const least = shares.max(-1, { keepDims: true }).mul(1 - this.#discard)
    const kept = shares.less(least).where(0, shares)
    return kept.div(kept.sum(-1, { keepDims: true }))
  }
}

/** Channels are as narrow as 8, but they part a head evenly. */
function channelWidth(headDim: number): number {
  for (let width = Math.min(8, headDim); width < headDim; width++) if (headDim % width === 0) return width
  return headDim
}
