import { describe, expect, it } from 'vitest'
import { createConfig } from '../config.js'
import { goldenParameters } from '../golden/generate.js'
import { loadGoldenModel } from '../golden/load.js'
import { LlamaForCausalLM } from '../model/llama.js'
import { Decoder } from './decoder.js'

function goldenNetwork(name: 'llama-nano' | 'llama-5m') {
  const golden = loadGoldenModel(name)
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
  const model = new LlamaForCausalLM(config)
  const weights = goldenParameters(golden.config)
  for (const [parameterName, parameter] of model.namedParameters()) parameter.data.set(weights.get(parameterName)!)
  return { golden, config, weights: model.stateDict() }
}

const argmax = (values: Float32Array) => values.reduce((best, value, index) => (value > values[best]! ? index : best), 0)
const distance = (a: Float32Array, b: Float32Array) => a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i]!)), 0)

describe.each(['llama-nano', 'llama-5m'] as const)('decoding %s', (name) => {
  it("gives PyTorch's logits after the prompt within 1e-4, and its greedy tokens", async () => {
    const { golden, config, weights } = goldenNetwork(name)
    const decoder = await Decoder.create(config, weights)
    using sequence = decoder.start()
    let logits = await decoder.feed(sequence, golden.decode.prompt)
    expect(distance(logits, golden.decode.lastLogits)).toBeLessThan(1e-4)
    const tokens: number[] = []
    for (let i = 0; i < golden.decode.greedy.length; i++) {
      tokens.push(argmax(logits))
      logits = await decoder.feed(sequence, [tokens.at(-1)!])
    }
    expect(tokens).toEqual(golden.decode.greedy)
    decoder.release()
  })

  it('gives the same logits for a prompt fed whole, in pieces, and token by token', async () => {
    const { golden, config, weights } = goldenNetwork(name)
    const decoder = await Decoder.create(config, weights)
    const feed = async (...pieces: number[][]) => {
      using sequence = decoder.start()
      let logits = new Float32Array()
      for (const piece of pieces) logits = Float32Array.from(await decoder.feed(sequence, piece))
      return logits
    }
    const prompt = [...golden.decode.prompt]
    const whole = await feed(prompt)
    expect(distance(await feed(prompt.slice(0, 5), prompt.slice(5)), whole)).toBeLessThan(1e-5)
    expect(distance(await feed(...prompt.map((token) => [token])), whole)).toBeLessThan(1e-5)
    decoder.release()
  })
})

it('sequences of one decoder do not touch each other', async () => {
  const { golden, config, weights } = goldenNetwork('llama-nano')
  const decoder = await Decoder.create(config, weights)
  using a = decoder.start()
  using b = decoder.start()
  const prompt = golden.decode.prompt
  const alone = Float32Array.from(await decoder.feed(a, prompt))
  await decoder.feed(b, [1, 2, 3])
  const after = Float32Array.from(await decoder.feed(a, [7]))
  using c = decoder.start()
  const [again] = await Promise.all([decoder.feed(c, prompt), decoder.feed(b, [4])])
  expect(again).toEqual(alone)
  expect(Float32Array.from(await decoder.feed(c, [7]))).toEqual(after)
  decoder.release()
})

it('on a device that is not there is a typed error with the fix', async () => {
  const { config, weights } = goldenNetwork('llama-nano')
  await expect(Decoder.create(config, weights, { device: 'metal' as 'cuda' })).rejects.toMatchObject({
    code: 'DEVICE_UNAVAILABLE',
    message: expect.stringMatching(/no 'metal': use one of cpu/),
  })
})

it('refuses what does not fit the context, and says the numbers', async () => {
  const { config, weights } = goldenNetwork('llama-nano')
  const decoder = await Decoder.create(config, weights)
  using sequence = decoder.start()
  await expect(decoder.feed(sequence, new Array(65).fill(1))).rejects.toThrow(/65 tokens exceed the model's context of 64/)
  await expect(decoder.feed(sequence, [])).rejects.toThrow(/no tokens/)
  decoder.release()
})
