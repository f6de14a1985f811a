import type { Attributes, Dims, Value } from '../program.js'
import type { Tensor } from '../tensor.js'
import { defineOps, expectDtype, fixed, type Gradients, shapeError } from './define.js'

const f32 = (shape: Dims): Value => ({ shape, dtype: 'f32' })

/** Mask value added to scores of the future. Finite, so that a fully masked row stays finite. */
const masked = -1e9

/** [T, S] with 0 where query t may see key s (s ≤ t + S - T) and a large negative number elsewhere. */
function causalMask(queries: number, keys: number): Float32Array {
  const mask = new Float32Array(queries * keys)
  for (let t = 0; t < queries; t++) mask.fill(masked, t * keys + t + 1 + keys - queries, (t + 1) * keys)
  return mask
}

/** Sizes of grouped-query attention: q [B, H, T, D], k and v [B, KV, S, D], H a multiple of KV; T ≤ S if causal. */
function attentionSizes(q: Value, k: Value, v: Value, { causal }: Attributes) {
  const [batch, batchK] = [q.shape[0], k.shape[0]]
  const [heads, queries, dim] = fixed('attention', q.shape.slice(1))
  const [kvHeads, keys, dimK] = fixed('attention', k.shape.slice(1))
  if (q.shape.length !== 4 || k.shape.join() !== v.shape.join() || batch !== batchK || dim !== dimK || heads! % kvHeads! !== 0)
    throw shapeError('attention', 'expected q [B, H, T, D] and k, v [B, KV, S, D] with H a multiple of KV', [
      q.shape,
      k.shape,
      v.shape,
    ])
  // The last query stands at the last key, so the first of more queries than keys would see nothing.
  if (causal && queries! > keys!)
    throw shapeError('attention', `${queries} causal queries cannot attend to ${keys} keys, the last query sees the last key`, [
      q.shape,
      k.shape,
    ])
  return { batch: batch!, heads: heads!, kvHeads: kvHeads!, group: heads! / kvHeads!, queries: queries!, keys: keys!, dim: dim! }
}

export const transformer = defineOps({
  rmsNorm: {
    summary: 'x / sqrt(mean(x²) + epsilon) · weight over the last dimension (Zhang & Sennrich 2019)',
    infer([x, weight]) {
      expectDtype('rmsNorm', x!, 'f32')
      if (weight!.shape.length !== 1 || weight!.shape[0] !== x!.shape.at(-1))
        throw shapeError('rmsNorm', 'the weight must have the size of the last dimension', [x!.shape, weight!.shape])
      return [f32(x!.shape), f32([...x!.shape.slice(0, -1), 1])]
    },
    // With n = x · inverse and g = dy · weight: dx = inverse · (g - n · mean(g · n)). Sums weighted by the weight or by the inverse
    // are products of one row with dy · x, and read it only once.
    vjp({ inputs: [x, weight], outputs: [, inverse], gradients: [dy] }): Gradients {
      const size = x!.shape.at(-1) as number
      const product = dy!.mul(x!).reshape([-1, size])
      const minusMean = weight!.reshape([1, size]).matmul(product, { transB: true, alpha: -1 / size })
      const cube = inverse!.mul(inverse!).mul(inverse!)
      const dx = dy!
        .mul(weight!)
        .mul(inverse!)
        .add(x!.mul(minusMean.reshape(inverse!.shape).mul(cube)))
      return [dx, inverse!.reshape([1, -1]).matmul(product).reshape([size])]
    },
    decompose([x, weight], { epsilon }) {
      const inverse = x!
        .mul(x!)
        .mean(-1, { keepDims: true })
        .add(epsilon as number)
        .sqrt()
        .reciprocal()
      return [x!.mul(inverse).mul(weight!), inverse]
    },
    lower({ inputs: [x, weight], outputs: [y, inverse], attributes: { epsilon }, emit, isUsed }) {
      const outputs = isUsed(1) ? [y!.name, inverse!.name] : [y!.name]
      const attributes = { axis: -1, epsilon: { float: epsilon as number } }
      emit('SimplifiedLayerNormalization', [x!.name, weight!.name], attributes, { outputs })
    },
  },

  addRmsNorm: {
    summary: 'rmsNorm(a + b) and the sum a + b, in one kernel: the residual stream of a decoder',
    infer([a, b, weight]) {
      if (a!.shape.join() !== b!.shape.join() || weight!.shape[0] !== a!.shape.at(-1))
        throw shapeError('addRmsNorm', 'expected equal shapes and a weight of the last dimension', [
          a!.shape,
          b!.shape,
          weight!.shape,
        ])
      return [f32(a!.shape), f32(a!.shape)]
    },
    lower({ inputs: [a, b, weight], outputs: [y, sum], attributes: { epsilon }, emit }) {
      emit(
        'SkipSimplifiedLayerNormalization',
        [a!.name, b!.name, weight!.name],
        { epsilon: { float: epsilon as number } },
        { outputs: [y!.name, '', '', sum!.name], domain: 'com.microsoft' },
      )
    },
  },

  rotaryEmbedding: {
    summary:
      'rotates pairs (i, i + D/2) of x [B, H, T, D] by the angle of their position (Su et al. 2021, half-split as in Llama); the tables get no gradient',
    infer([x, positions, cosine, sine]) {
      expectDtype('rotaryEmbedding', positions!, 'i64')
      const half = (x!.shape.at(-1) as number) / 2
      if (x!.shape.length !== 4 || cosine!.shape[1] !== half || sine!.shape[1] !== half)
        throw shapeError('rotaryEmbedding', 'expected x [B, H, T, D] and tables [positions, D/2]', [
          x!.shape,
          cosine!.shape,
          sine!.shape,
        ])
      return [f32(x!.shape)]
    },
    vjp({ inputs: [x, positions, cosine, sine], gradients: [dy] }): Gradients {
      // A rotation's transpose is the rotation back.
      return [x!.builder.apply('rotaryEmbedding', [dy!, positions!, cosine!, sine!.neg()])[0], undefined, undefined, undefined]
    },
    lower({ inputs: [x, positions, cosine, sine], outputs: [y], emit }) {
      const inputs = [x!.name, positions!.name, cosine!.name, sine!.name]
      const attributes = { interleaved: 0, num_heads: x!.shape[1] as number }
      emit('RotaryEmbedding', inputs, attributes, { outputs: [y!.name], domain: 'com.microsoft' })
    },
  },

  attention: {
    summary: 'softmax(scale · q · kᵀ + mask) · v with grouped queries (Ainslie et al. 2023); causal masks the future',
    infer([q, k, v], attributes) {
      const { batch, heads, kvHeads, group, queries, keys, dim } = attentionSizes(q!, k!, v!, attributes)
      return [f32([batch, heads, queries, dim]), f32([batch, kvHeads, group * queries, keys])]
    },
    vjp({ inputs: [q, k, v], outputs: [o, p], attributes, gradients: [dy] }): Gradients {
      const { batch, kvHeads, group, queries, dim } = attentionSizes(q!, k!, v!, attributes)
      const alpha = attributes.scale as number
      // The queries of a group are rows of one matrix: so the sum over the group comes with the product.
      const rows = (x: Tensor) => x.reshape([batch, kvHeads, group * queries, dim])
      const dO = rows(dy!)
      const dV = p!.matmul(dO, { transA: true })
      const dP = dO.matmul(v!, { transB: true })
      const delta = dO.mul(rows(o!)).sum(-1, { keepDims: true })
      const dS = p!.mul(dP.sub(delta))
      return [dS.matmul(k!, { alpha }).reshape(q!.shape), dS.matmul(rows(q!), { transA: true, alpha }), dV]
    },
    decompose([q, k, v], attributes) {
      const { batch, kvHeads, group, queries, keys, dim } = attentionSizes(q!, k!, v!, attributes)
      const rows = q!.reshape([batch, kvHeads, group * queries, dim])
      let scores = rows.matmul(k!, { transB: true, alpha: attributes.scale as number })
      if (attributes.causal) {
        const mask = q!.builder.constant(causalMask(queries, keys), [queries, keys])
        scores = scores.reshape([batch, kvHeads, group, queries, keys]).add(mask)
      }
      const p = scores.softmax().reshape([batch, kvHeads, group * queries, keys])
      return [p.matmul(v!).reshape(q!.shape), p]
    },
    lower({ inputs: [q, k, v], outputs: [o, p], attributes, emit, ints, tensor }) {
      const { batch: size, kvHeads, group, queries, keys, dim } = attentionSizes(q!, k!, v!, attributes)
      const batch = typeof size === 'number' ? size : -1
      const flat = ints([batch, kvHeads, group * queries, keys])
      const rows = group === 1 ? q!.name : emit('Reshape', [q!.name, ints([batch, kvHeads, group * queries, dim])])
      const flags = { transA: 0, transB: 1, alpha: { float: attributes.scale as number } }
      let scores = emit('FusedMatMul', [rows, k!.name], flags, { domain: 'com.microsoft' })
      if (attributes.causal) {
        const mask = tensor(`causal ${queries} ${keys}`, [queries, keys], () => causalMask(queries, keys))
        if (group > 1) scores = emit('Reshape', [scores, ints([batch, kvHeads, group, queries, keys])])
        scores = emit('Add', [scores, mask])
        if (group > 1) scores = emit('Reshape', [scores, flat])
      }
      emit('Softmax', [scores], { axis: -1 }, { outputs: [p!.name] })
      if (group === 1) emit('MatMul', [p!.name, v!.name], {}, { outputs: [o!.name] })
      else
        emit(
          'Reshape',
          [emit('MatMul', [p!.name, v!.name]), ints([batch, kvHeads * group, queries, dim])],
          {},
          { outputs: [o!.name] },
        )
    },
  },

  cachedAttention: {
    summary:
      'causal grouped-query attention of new tokens over a key/value cache, rotary embedding included; returns the output and the caches, which may lie over the inputs',
    infer([qkv, keys, values]) {
      const { heads, kvHeads, dim } = cacheSizes(qkv!, keys!)
      if (keys!.shape.join() !== values!.shape.join() || qkv!.shape[2] !== (heads + 2 * kvHeads) * dim)
        throw shapeError('cachedAttention', 'expected qkv [B, T, (H + 2·KV)·D] and caches [B, KV, S, D]', [
          qkv!.shape,
          keys!.shape,
        ])
      return [f32([qkv!.shape[0]!, qkv!.shape[1]!, heads * dim]), f32(keys!.shape), f32(values!.shape)]
    },
    lower({ inputs, outputs, attributes: { rotary = true, window = -1 }, emit }) {
      const [qkv, keys, values, past, total, cosine, sine] = inputs
      const { heads, kvHeads } = cacheSizes(qkv!, keys!)
      emit(
        'GroupQueryAttention',
        [qkv!.name, '', '', keys!.name, values!.name, past!.name, total!.name, cosine!.name, sine!.name],
        { num_heads: heads, kv_num_heads: kvHeads, do_rotary: rotary ? 1 : 0, local_window_size: window as number },
        { outputs: outputs.map(({ name }) => name), domain: 'com.microsoft' },
      )
    },
  },

  swiglu: {
    summary: 'silu(gate) · up (Shazeer 2020)',
    infer([gate, up]) {
      if (gate!.shape.join() !== up!.shape.join())
        throw shapeError('swiglu', 'gate and up must have one shape', [gate!.shape, up!.shape])
      return [f32(gate!.shape), f32(gate!.shape), f32(gate!.shape)]
    },
    vjp({ inputs: [, up], outputs: [, s, a], gradients: [dh] }): Gradients {
      // With s = sigmoid(g) and a = g·s: da/dg = s + a - a·s.
      return [dh!.mul(up!).mul(a!.mul(s!.builder.scalar(1).sub(s!)).add(s!)), dh!.mul(a!)]
    },
    decompose([gate, up]) {
      const s = gate!.sigmoid()
      const a = gate!.mul(s)
      return [a.mul(up!), s, a]
    },
    lower({ inputs: [gate, up], outputs: [h, s, a], emit, isUsed }) {
      if (isUsed(1) || isUsed(2)) {
        emit('Sigmoid', [gate!.name], {}, { outputs: [s!.name] })
        emit('Mul', [gate!.name, s!.name], {}, { outputs: [a!.name] })
      } else {
        emit('QuickGelu', [gate!.name], { alpha: { float: 1 } }, { outputs: [a!.name], domain: 'com.microsoft' })
      }
      emit('Mul', [a!.name, up!.name], {}, { outputs: [h!.name] })
    },
  },
})

/** Head counts follow from the packed width and the cache: H = width / D - 2·KV. */
function cacheSizes(qkv: Value, keys: Value): { heads: number; kvHeads: number; dim: number } {
  const [kvHeads, , dim] = fixed('cachedAttention', keys.shape.slice(1))
  const width = fixed('cachedAttention', qkv.shape.slice(2))[0]!
  return { heads: width / dim! - 2 * kvHeads!, kvHeads: kvHeads!, dim: dim! }
}
