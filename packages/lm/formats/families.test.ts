import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type StateDict, traceNetwork } from '@enigma/nn'
import { compile } from '@enigma/tensor'
import { readTensors } from '@enigma/tensor/formats'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openModelFolder } from '../checkpoint/index.js'
import { saveModel } from '../checkpoint/save-model.js'
import { createConfig, type ModelConfig } from '../config.js'
import type { LmError } from '../errors.js'
import { Decoder } from '../generation/decoder.js'
import { configFromHuggingFace, configToHuggingFace } from '../huggingface-config.js'
import { LlamaForCausalLM } from '../model/llama.js'
import { distance, goldenFamilies, goldenFolder, loadFamily } from './golden.test.support.js'

let root: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'enigma-families-'))
})
afterAll(() => rm(root, { recursive: true }))

const quiet = { threads: 1, spin: false }

/** Logits [length][vocabulary] of the program that training differentiates. */
async function trainingLogits(config: ModelConfig, weights: StateDict, tokens: readonly number[]): Promise<Float32Array[]> {
  const network = new LlamaForCausalLM(config, { seed: null })
  network.loadStateDict(weights)
  const shape = [1, tokens.length]
  const { program, parameters } = traceNetwork({ tokens: { shape, dtype: 'i64' } }, (given) => ({
    logits: network.forward(given.tokens),
  }))
  const executable = await compile(program, quiet)
  const data = BigInt64Array.from(tokens, BigInt)
  const { logits } = await executable.run({ ...parameters, tokens: { dtype: 'i64', shape, data } })
  executable.release()
  const flat = logits!.data as Float32Array
  return tokens.map((_, at) => flat.slice(at * config.vocabSize, (at + 1) * config.vocabSize))
}

describe.each(goldenFamilies)('%s', (name) => {
  it("has transformers' logits within 1e-4, in training and in decoding, from a folder that keeps what it computes", async () => {
    const golden = await loadFamily(name)
    const folder = join(root, name)
    await saveModel(folder, { config: golden.config, tensors: golden.weights, tokenizerJson: '{}' })
    await using files = await openModelFolder(folder)
    expect(files.config).toEqual(golden.config)
    expect(JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')).model_type).toBe(golden.configJson.model_type)
    const weights = await readTensors(files.tensors)

    const trained = await trainingLogits(files.config, weights, golden.tokens)
    const decoder = await Decoder.create(files.config, weights, quiet)
    using sequence = decoder.start()
    for (const [index, position] of golden.positions.entries()) {
      expect(distance(trained[position]!, golden.logits[index]!)).toBeLessThan(1e-4)
      const decoded = await decoder.feed(sequence, golden.tokens.slice(sequence.length, position + 1))
      expect(distance(decoded, golden.logits[index]!)).toBeLessThan(1e-4)
    }
    decoder.release()
  })
})

it('reads a folder in several bfloat16 files as transformers saved it', async () => {
  const golden = await loadFamily('qwen3')
  await using files = await openModelFolder(join(goldenFolder, 'sharded'))
  expect(files.config).toEqual(golden.config)
  const logits = await trainingLogits(files.config, await readTensors(files.tensors), golden.tokens)
  const expected: number[] = JSON.parse(await readFile(join(goldenFolder, 'sharded-logits.json'), 'utf8'))
  expect(distance(logits.at(-1)!, expected)).toBeLessThan(1e-4)
})

describe('a config.json', () => {
  const llama = { vocabSize: 80, dim: 32, layers: 4, heads: 4, context: 64 }
  const qwen = configToHuggingFace(createConfig({ ...llama, qkvBias: true }))

  it.each([
    ['llama', {}],
    ['llama', { qkvBias: true, outputBias: true, mlpBias: true }],
    ['llama', { ropeScaling: { type: 'linear', factor: 2 } }],
    ['mistral', { slidingWindow: 16 }],
    ['mistral', { dim: 30, headDim: 16 }],
    ['qwen2', { qkvBias: true, slidingWindow: 16 }],
    ['qwen3', { qkNorm: true, slidingWindow: 16 }],
    ['smollm3', { noRopeLayers: [3] }],
  ] as const)('is written as %s for %o, and read again', (family, features) => {
    const config = createConfig({ ...llama, ...features })
    const json = JSON.parse(JSON.stringify(configToHuggingFace(config)))
    expect(json.model_type).toBe(family)
    expect(configFromHuggingFace(json)).toEqual(config)
  })

  it('is not written for a mixture that no family computes', () => {
    const write = () => configToHuggingFace(createConfig({ ...llama, qkNorm: true, mlpBias: true }))
    expect(write).toThrow(/None of llama, mistral, qwen2, qwen3, smollm3 computes a model with .*"mlpBias":true,"qkNorm":true/)
  })

  it.each([
    [{ use_sliding_window: true, sliding_window: 8, max_window_layers: 2 }, 'max_window_layers 2'],
    [{ use_sliding_window: true, sliding_window: 8, layer_types: ['full_attention', 'sliding_attention'] }, 'layer_types'],
    [{ layer_types: ['linear_attention'] }, 'layer_types ["linear_attention"]'],
    [{ rope_scaling: { type: 'dynamic', factor: 2 } }, 'rope_scaling {"type":"dynamic","factor":2}'],
    [{ rope_scaling: { type: 'linear', factor: 2, partial_rotary_factor: 0.5 } }, 'rope_scaling.partial_rotary_factor 0.5'],
  ])('with %o is refused, naming the key', (change, key) => {
    const error = failure(() => configFromHuggingFace({ ...qwen, ...change }, 'x/config.json'))
    expect([error.code, error.message]).toEqual(['UNSUPPORTED_MODEL', expect.stringContaining(`x/config.json: ${key}`)])
  })

  it.each([
    [{ rope_scaling: { rope_type: 'llama3', factor: 8 } }, 'lacks rope_scaling.low_freq_factor'],
    [{ rope_scaling: { rope_type: 'linear', factor: -1 } }, 'rope_scaling: factor must be positive, got -1'],
    [{ rope_scaling: 4 }, 'rope_scaling must be an object, got 4'],
    [{ use_sliding_window: 'yes' }, 'use_sliding_window must be true or false, got "yes"'],
    [{ layer_types: 3 }, 'layer_types must be a list, got 3'],
    [{ num_hidden_layers: 1e9 }, 'n_layers must be at most 4096, got 1000000000'],
  ])('with %o is invalid, naming the key', (change, message) => {
    const error = failure(() => configFromHuggingFace({ ...qwen, ...change }))
    expect([error.code, error.message]).toEqual(['INVALID_CONFIG', expect.stringContaining(message)])
  })

  it('of SmolLM3 without a list leaves every fourth layer without rotary positions', () => {
    const json = { ...configToHuggingFace(createConfig({ ...llama, layers: 8, noRopeLayers: [1] })), no_rope_layers: null }
    expect(configFromHuggingFace(json).noRopeLayers).toEqual([3, 7])
  })
})

function failure(run: () => unknown): LmError {
  try {
    run()
  } catch (error) {
    return error as LmError
  }
  throw new Error('it did not fail')
}
