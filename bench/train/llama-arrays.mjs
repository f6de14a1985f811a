/**
 * The language model of the suite, written once for array libraries that differentiate by themselves: `ops` is the library's
 * vocabulary. Token ids enter as one-hot matrices, for not every library has the gradient of a look-up.
 */
export function llamaLoss(ops, { dim, layers, heads, kvHeads, normEps, ropeTheta }, batch, length) {
  const headDim = dim / heads
  const group = heads / kvHeads
  const half = headDim / 2
  const angles = Array.from({ length }, (_, t) =>
    Array.from({ length: half }, (_, i) => t * ropeTheta ** ((-2 * i) / headDim)),
  ).flat()
  const cosine = ops.constant(angles.map(Math.cos), [length, half])
  const sine = ops.constant(angles.map(Math.sin), [length, half])
  const mask = ops.constant(
    Array.from({ length: group * length * length }, (_, index) => {
      const [t, s] = [Math.floor(index / length) % length, index % length]
      return s > t ? -1e9 : 0
    }),
    [group * length, length],
  )
  const { add, sub, mul, matmul, transpose, reshape, slice, concat, exp, log, sum, max, rsqrt, sigmoid } = ops
  const linear = (x, weight) => matmul(x, transpose(weight, [1, 0]))
  const norm = (x, weight) => mul(mul(x, rsqrt(add(mul(sum(mul(x, x), [-1]), 1 / dim), normEps))), weight)
  const rotate = (x, count) => {
    const first = slice(x, [0, 0, 0, 0], [batch, count, length, half])
    const second = slice(x, [0, 0, 0, half], [batch, count, length, half])
    return concat([sub(mul(first, cosine), mul(second, sine)), add(mul(second, cosine), mul(first, sine))], 3)
  }
  const split = (x, count) => transpose(reshape(x, [batch, length, count, headDim]), [0, 2, 1, 3])
  const logSoftmax = (x) => {
    const shifted = sub(x, max(x, [-1]))
    return sub(shifted, log(sum(exp(shifted), [-1])))
  }
  const attend = (x, weightOf) => {
    const q = reshape(rotate(split(linear(x, weightOf('self_attn.q_proj')), heads), heads), [
      batch,
      kvHeads,
      group * length,
      headDim,
    ])
    const k = rotate(split(linear(x, weightOf('self_attn.k_proj')), kvHeads), kvHeads)
    const v = split(linear(x, weightOf('self_attn.v_proj')), kvHeads)
    const scores = add(mul(matmul(q, transpose(k, [0, 1, 3, 2])), 1 / Math.sqrt(headDim)), mask)
    const mixed = reshape(matmul(exp(logSoftmax(scores)), v), [batch, heads, length, headDim])
    return linear(reshape(transpose(mixed, [0, 2, 1, 3]), [batch * length, dim]), weightOf('self_attn.o_proj'))
  }
  const feedForward = (x, weightOf) => {
    const gate = linear(x, weightOf('mlp.gate_proj'))
    return linear(mul(mul(gate, sigmoid(gate)), linear(x, weightOf('mlp.up_proj'))), weightOf('mlp.down_proj'))
  }
  /** Mean cross-entropy of weights by name, for one-hot inputs and targets [batch·length, vocab]. */
  return (weights, inputs, targets) => {
    const embedding = weights['model.embed_tokens.weight']
    let x = matmul(inputs, embedding)
    for (let layer = 0; layer < layers; layer++) {
      const weightOf = (name) => weights[`model.layers.${layer}.${name}.weight`]
      x = add(x, attend(norm(x, weightOf('input_layernorm')), weightOf))
      x = add(x, feedForward(norm(x, weightOf('post_attention_layernorm')), weightOf))
    }
    const logits = linear(norm(x, weights['model.norm.weight']), embedding)
    return mul(sum(mul(logSoftmax(logits), targets), null), -1 / (batch * length))
  }
}

/**
 * AdamW in the same vocabulary: `(weight, gradient, m, v, scalars)` → new weight, m and v. The scalars are arrays, so that a
 * compiled update is the same for every step.
 */
export function adamwUpdate(ops, { learningRate, beta1, beta2, epsilon, weightDecay }, decays) {
  const { add, sub, mul, div, sqrt } = ops
  return (weight, gradient, m, v, { scale, rate, correction }) => {
    const g = mul(gradient, scale)
    const m1 = add(mul(m, beta1), mul(g, 1 - beta1))
    const v1 = add(mul(v, beta2), mul(mul(g, g), 1 - beta2))
    const denominator = add(mul(sqrt(v1), correction), epsilon)
    const decayed = mul(weight, decays ? 1 - learningRate * weightDecay : 1)
    return [sub(decayed, mul(div(m1, denominator), rate)), m1, v1]
  }
}

/** What changes from step to step: clipping by norm, and Adam's corrections of step `step` (from 1). */
export function stepScalars({ learningRate, beta1, beta2, clipNorm }, norm, step) {
  return {
    scale: Math.min(1, clipNorm / (norm + 1e-6)),
    rate: learningRate / (1 - beta1 ** step),
    correction: 1 / Math.sqrt(1 - beta2 ** step),
  }
}
