import { describe, expect, it } from 'vitest'
import { createConfig, type ModelConfig } from '../config.js'
import { Decoder } from '../generation/decoder.js'
import { goldenParameters } from '../golden/generate.js'
import { loadGoldenModel } from '../golden/load.js'
import { LlamaForCausalLM } from '../model/llama.js'
import { dequantized, type ModelWeights, type QuantizationName, quantizationOf, quantizedWeights } from './quantization.js'

function goldenModel() {
  const golden = loadGoldenModel('llama-5m')
  const { vocab, dim, layers, heads, kvHeads, hidden, normEps, ropeTheta } = golden.config
  const config = createConfig({
    vocabSize: vocab,
    dim,
    layers,
    heads,
    kvHeads,
    hidden,
    rmsNormEps: normEps,
    ropeTheta,
    context: 64,
  })
  const model = new LlamaForCausalLM(config, { seed: null })
  const weights = goldenParameters(golden.config)
  for (const [name, parameter] of model.namedParameters()) parameter.data.set(weights.get(name)!)
  return { config, prompt: [...golden.decode.prompt], weights: model.stateDict() }
}

async function logitsOf(config: ModelConfig, weights: ModelWeights, ...pieces: number[][]): Promise<Float32Array> {
  const decoder = await Decoder.create(config, weights, { threads: 1 })
  using sequence = decoder.start()
  let logits = new Float32Array()
  for (const piece of pieces) logits = Float32Array.from(await decoder.feed(sequence, piece))
  decoder.release()
  return logits
}

/** ‖a - b‖ / ‖b‖ */
function distance(a: Float32Array, b: Float32Array): number {
  const off = a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0)
  return Math.sqrt(off / b.reduce((sum, value) => sum + value ** 2, 0))
}

const { config, prompt, weights } = goldenModel()

describe.each([
  ['int8', 0.02],
  ['int4', 0.25],
] as const)('a model in %s', (name, bound) => {
  const quantized = quantizedWeights(config, weights, quantizationOf(name))

  it(`has logits within ${bound} of those in float32, and nearer ones to those of the numbers that its codes stand for`, async () => {
    const exact = await logitsOf(config, weights, prompt)
    const rounded = await logitsOf(config, dequantized(quantized), prompt)
    const logits = await logitsOf(config, quantized, prompt)
    expect(distance(logits, exact)).toBeLessThan(bound)
    // What is left is the rounding of activations to eight bits.
    expect(distance(logits, rounded)).toBeLessThan(0.02)
  })

  it('has nearly the same logits for a prompt read whole and token by token: kernels of one row and of many round differently', async () => {
    const whole = await logitsOf(config, quantized, prompt)
    expect(distance(await logitsOf(config, quantized, ...prompt.map((token) => [token])), whole)).toBeLessThan(0.02)
  })
})

it('widths that are no multiple of the group are filled up', async () => {
  const odd = createConfig({
    vocabSize: 50,
    dim: 48,
    layers: 2,
    heads: 3,
    kvHeads: 1,
    hidden: 80,
    context: 32,
    tieEmbeddings: false,
  })
  const network = new LlamaForCausalLM(odd)
  for (const [name, { data }] of network.namedParameters())
    if (!name.includes('norm')) for (let i = 0; i < data.length; i++) data[i]! *= 10
  const state = network.stateDict()
  for (const [quantization, group] of [
    ['int8', 32],
    ['int4', 64],
    ['int4', 16],
  ] as const) {
    const quantized = quantizedWeights(odd, state, quantizationOf(quantization, group))
    const logits = await logitsOf(odd, quantized, [1, 2, 3], [4])
    expect(
      distance(logits, await logitsOf(odd, dequantized(quantized), [1, 2, 3], [4])),
      `${quantization} ${group}`,
    ).toBeLessThan(0.06)
  }
})

it('refuses names and groups that there are not, saying which there are', () => {
  expect(() => quantizationOf('int2' as QuantizationName)).toThrow(/quantization must be one of int8, int4, got "int2"/)
  expect(() => quantizationOf('int4', 48)).toThrow(/groupSize must be one of 16, 32, 64, 128, 256, got 48/)
})
