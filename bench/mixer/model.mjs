/**
 * The two networks that are compared: byte-level language models, alike but for what mixes the tokens.
 * `forward(tokens [batch, length])` gives logits [batch · length, 256].
 */
import { Layer, nn } from '../../packages/nn/dist/index.js'

/** The least work that says something: 0.9 M parameters. `hidden` of attention makes up for the mixer's few more parameters. */
export const model = { vocab: 256, dim: 128, layers: 4, heads: 4, hidden: { mixer: 344, attention: 347 } }

/** How each kind mixes x [batch · length, dim]. */
const kinds = {
  mixer(seed) {
    const layer = new nn.CoherenceMixer({ dim: model.dim, heads: model.heads, seed })
    const mix = (x, { batch, length }) =>
      layer.forward(x.reshape([batch, length, model.dim])).reshape([batch * length, model.dim])
    return { layer, mix }
  },
  attention(seed) {
    const layer = new nn.GroupedQueryAttention({ dim: model.dim, heads: model.heads, seed })
    const mix = (x, { rotary, batch, length }) => layer.forward(x, rotary(), batch, length)
    return { layer, mix }
  },
}

const context = (builder, batch, length) => {
  let made
  const frequencies = nn.rotaryFrequencies(model.dim / model.heads)
  const rotary = () => (made ??= new nn.RotaryEmbedding(builder, { batch, length, frequencies }))
  return { batch, length, rotary }
}

/** One layer of the kind over x [batch, length, dim], for timing. The norm before it needs the gradient by its input, as a deep net does. */
export class MixingLayer extends Layer {
  #mix
  constructor(kind, seed) {
    super()
    const { layer, mix } = kinds[kind](seed)
    this.norm = new nn.RMSNorm(model.dim)
    this.layer = layer
    this.#mix = mix
  }
  forward(x) {
    const [batch, length, dim] = x.shape
    return this.#mix(this.norm.forward(x.reshape([batch * length, dim])), context(x.builder, batch, length)).reshape([
      batch,
      length,
      dim,
    ])
  }
}

/** x + mix(norm(x)), then x + feedForward(norm(x)), a layer after the other. */
export class ByteModel extends Layer {
  #mixes
  constructor(kind, seed) {
    super()
    const { vocab, dim, layers, hidden } = model
    const parts = Array.from({ length: layers }, (_, index) => kinds[kind](seed + 100 * index))
    this.embedding = new nn.Embedding(vocab, dim, { seed })
    this.mixers = parts.map(({ layer }) => layer)
    this.#mixes = parts.map(({ mix }) => mix)
    this.norms = Array.from({ length: 2 * layers + 1 }, () => new nn.RMSNorm(dim))
    this.feedForwards = parts.map((_, index) => new nn.SwiGLU(dim, hidden[kind], 0, seed + 100 * index + 50))
    this.head = new nn.Linear(dim, vocab, { bias: false, seed: seed + 1 })
    // As language models start: small, so that the first guess is that all bytes are alike.
    for (const parameter of [this.embedding.weight, this.head.weight])
      for (let i = 0; i < parameter.size; i++) parameter.data[i] *= 0.1
  }
  forward(tokens) {
    const [batch, length] = tokens.shape
    const shared = context(tokens.builder, batch, length)
    let x = this.embedding.forward(tokens.reshape([batch * length]))
    for (const [index, mix] of this.#mixes.entries()) {
      x = x.add(mix(this.norms[2 * index].forward(x), shared))
      x = x.add(this.feedForwards[index].forward(this.norms[2 * index + 1].forward(x)))
    }
    return this.head.forward(this.norms.at(-1).forward(x))
  }
}
