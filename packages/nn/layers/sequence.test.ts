import { readFileSync } from 'node:fs'
import { evaluate, grad, type HostTensor, type Tensor, tensor } from '@enigma/tensor'
import { describe, expect, it } from 'vitest'
import { type Layer, NnError, nn, traceNetwork } from '../index.js'

interface Numbers {
  readonly shape: readonly number[]
  readonly data: readonly number[]
}
type Named = Readonly<Record<string, Numbers>>
interface Case {
  readonly layer: string
  readonly settings: Readonly<Record<string, number | boolean | string>>
  readonly call: { readonly mask?: 'float' | 'bool'; readonly padding?: boolean }
  readonly state: Named
  readonly inputs: Named
  readonly outputs: Named
  readonly seeds: Named
  readonly gradients: Named
}
type Tensors = Readonly<Record<string, Tensor>>

const golden = JSON.parse(readFileSync(new URL('../../golden/sequence.json', import.meta.url), 'utf8')) as { cases: Case[] }
const toTensor = ({ data, shape }: Numbers) => tensor([...data], [...shape])
const camel = (name: string) => name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())
const bools = (rows: readonly (readonly number[])[]): HostTensor => tensor(rows.flat(), [rows.length, rows[0]!.length], 'bool')

/** The masks that `golden/sequence.py` uses. */
const masks = {
  float: tensor(
    Array.from({ length: 12 }, (_, index) => index / 10),
    [3, 4],
  ),
  bool: bools([
    [0, 1, 0, 0],
    [1, 0, 0, 1],
    [0, 0, 1, 0],
  ]),
  padding: bools([
    [0, 0, 0, 1],
    [0, 0, 1, 1],
  ]),
}

/** Makes each kind of layer, and says how its inputs go in and its outputs come out. */
const kinds: Record<string, (options: object) => { layer: Layer; run: (inputs: Tensors, call: Case['call']) => Tensors }> = {
  LSTM: (options) => {
    const layer = new nn.LSTM(2, 3, options)
    return { layer, run: ({ x, h, c }) => layer.forwardWithState(x!, { h: h!, c: c! }) }
  },
  GRU: (options) => {
    const layer = new nn.GRU(2, 3, options)
    return { layer, run: ({ x, h }) => layer.forwardWithState(x!, { h: h! }) }
  },
  MultiheadAttention: (options) => {
    const layer = new nn.MultiheadAttention(4, 2, options)
    return {
      layer,
      run: ({ query, key, value }, call) => {
        const { builder } = query!
        const constant = ({ data, shape, dtype }: HostTensor) => builder.constant(data, shape, dtype)
        return layer.forwardWithWeights(query!, key!, value!, {
          ...(call.mask && { attnMask: constant(masks[call.mask]) }),
          ...(call.padding && { keyPaddingMask: constant(masks.padding) }),
        })
      },
    }
  },
  TransformerEncoderLayer: (options) => {
    const layer = new nn.TransformerEncoderLayer(4, 2, { dimFeedforward: 6, dropout: 0, ...options })
    return { layer, run: ({ x }) => ({ output: layer.forward(x!) }) }
  },
  TransformerDecoderLayer: (options) => {
    const layer = new nn.TransformerDecoderLayer(4, 2, { dimFeedforward: 6, dropout: 0, ...options })
    return { layer, run: ({ x, memory }) => ({ output: layer.forward(x!, memory!, { tgtIsCausal: true }) }) }
  },
}

function relativeError(got: ArrayLike<number | bigint>, expected: readonly number[]): number {
  const norm = (values: readonly number[]) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0))
  return norm(expected.map((value, i) => Number(got[i]) - value)) / Math.max(norm(expected), 1e-6)
}

describe.each(golden.cases)('nn.$layer $settings $call', ({ layer: kind, settings, call, ...example }) => {
  it('gives the outputs and the gradients that PyTorch gives', async () => {
    const options = Object.fromEntries(Object.entries(settings).map(([name, value]) => [camel(name), value]))
    const { layer, run } = kinds[kind]!({ ...options, seed: null })
    layer.loadStateDict(Object.fromEntries(Object.entries(example.state).map(([name, value]) => [name, toTensor(value)])))
    const specs = Object.fromEntries(Object.entries(example.inputs).map(([name, { shape }]) => [name, { shape }]))
    const traced = traceNetwork<string>(specs, (inputs) => {
      const outputs = run(inputs, call)
      const losses = Object.entries(outputs).map(([name, value]) => {
        const seed = example.seeds[name]!
        return value.mul(value.builder.constant(seed.data, seed.shape)).sum()
      })
      const named = Object.entries(outputs).map(([name, value]) => [`out.${name}`, value])
      return { ...Object.fromEntries(named), loss: losses.reduce((sum, loss) => sum.add(loss)) }
    })
    const names = new Map([...layer.namedParameters()].map(([name, parameter]) => [parameter, name]))
    const wrt = [...Object.keys(example.inputs), ...Object.keys(traced.parameters)]
    const feeds = Object.fromEntries(Object.entries(example.inputs).map(([name, value]) => [name, toTensor(value)]))
    const outputs = await evaluate(grad(traced.program, { of: 'loss', wrt }), { ...feeds, ...traced.parameters })
    for (const [name, expected] of Object.entries(example.outputs)) {
      const got = outputs[`out.${name}`]!
      expect(got.shape, name).toEqual(expected.shape)
      expect(relativeError(got.data, expected.data), name).toBeLessThan(1e-5)
    }
    for (const input of wrt) {
      const name = traced.parameters[input] ? names.get(traced.parameters[input])! : input
      const expected = example.gradients[name]!
      expect(outputs[`d.${input}`]!.shape, name).toEqual(expected.shape)
      expect(relativeError(outputs[`d.${input}`]!.data, expected.data), name).toBeLessThan(1e-5)
    }
    expect(Object.keys(example.gradients).sort()).toEqual(
      [...wrt.map((input) => (traced.parameters[input] ? names.get(traced.parameters[input])! : input))].sort(),
    )
  })
})

describe('recurrent layers', () => {
  it('start as PyTorch does: all weights uniform within 1/√hidden', () => {
    const layer = new nn.LSTM(3, 16, { numLayers: 2, seed: 1 })
    expect([...layer.namedParameters()].map(([name, { shape }]) => [name, shape])).toEqual([
      ['weight_ih_l0', [64, 3]],
      ['weight_hh_l0', [64, 16]],
      ['bias_ih_l0', [64]],
      ['bias_hh_l0', [64]],
      ['weight_ih_l1', [64, 16]],
      ['weight_hh_l1', [64, 16]],
      ['bias_ih_l1', [64]],
      ['bias_hh_l1', [64]],
    ])
    const largest = Math.max(...layer.parameters().map(({ data }) => Math.max(...data.map(Math.abs))))
    expect(largest).toBeLessThanOrEqual(0.25)
    expect(largest).toBeGreaterThan(0.24)
  })

  it('give an empty batch an empty answer', async () => {
    const layer = new nn.GRU(3, 5)
    expect(await layer.predict(tensor([], [4, 0, 3]))).toMatchObject({ shape: [4, 0, 5] })
    await layer.release()
  })

  it('say what does not fit', () => {
    expect(() => new nn.LSTM(0, 5)).toThrow(/LSTM: inputSize must be a positive whole number, got 0/)
    expect(() => new nn.GRU(3, 5, { dropout: 1 })).toThrow(/GRU: dropout must be at least 0 and less than 1, got 1/)
    const forward = (shape: number[]) => () => traceNetwork({ x: { shape } }, ({ x }) => ({ y: new nn.LSTM(3, 5).forward(x) }))
    expect(forward([4, 2, 7])).toThrow(/LSTM: expected x \[time, batch, 3\], got \[4, 2, 7\]/)
    expect(forward([0, 2, 3])).toThrow(/needs at least one time step/)
  })
})

describe('multi-head attention', () => {
  it('answers the same with and without its weights, causal or not', async () => {
    const layer = new nn.MultiheadAttention(8, 2, { seed: 3, batchFirst: true })
    const x = tensor(
      Array.from({ length: 48 }, (_, index) => Math.sin(index)),
      [2, 3, 8],
    )
    for (const isCausal of [false, true]) {
      const { program, parameters } = traceNetwork({ x: { shape: [2, 3, 8] } }, ({ x }) => {
        const { output, weights } = layer.forwardWithWeights(x, x, x, { isCausal })
        return { output, weights, plain: layer.forward(x, x, x, { isCausal }) }
      })
      const { output, plain, weights } = await evaluate(program, { x, ...parameters })
      expect(relativeError(plain!.data, [...(output!.data as Float32Array)])).toBeLessThan(1e-6)
      expect(Number(weights!.data[1]) === 0).toBe(isCausal)
    }
  })

  it('refuses heads that do not divide the features', () => {
    expect(() => new nn.MultiheadAttention(10, 4)).toThrow(NnError)
    expect(() => new nn.MultiheadAttention(10, 4)).toThrow(/embedDim 10 must be a multiple of numHeads 4/)
  })
})

describe('transformers', () => {
  it('stack layers with weights of their own, by PyTorch’s names', () => {
    const encoder = new nn.TransformerEncoder(2, () => new nn.TransformerEncoderLayer(4, 2, { dimFeedforward: 6 }), {
      norm: new nn.LayerNorm(4),
    })
    const names = [...encoder.namedParameters()].map(([name]) => name)
    expect(names.filter((name) => name.startsWith('layers.1.'))).toEqual([
      'layers.1.self_attn.in_proj_weight',
      'layers.1.self_attn.in_proj_bias',
      'layers.1.self_attn.out_proj.weight',
      'layers.1.self_attn.out_proj.bias',
      'layers.1.linear1.weight',
      'layers.1.linear1.bias',
      'layers.1.linear2.weight',
      'layers.1.linear2.bias',
      'layers.1.norm1.weight',
      'layers.1.norm1.bias',
      'layers.1.norm2.weight',
      'layers.1.norm2.bias',
    ])
    expect(names).toContain('norm.bias')
    const [first, second] = [0, 1].map((index) => encoder.stateDict()[`layers.${index}.linear1.weight`]!.data)
    expect(first).not.toEqual(second)
  })

  it('decode without seeing the future', async () => {
    const decoder = new nn.TransformerDecoder(
      2,
      () => new nn.TransformerDecoderLayer(4, 2, { dimFeedforward: 6, seed: 1 }),
    ).eval()
    const { program, parameters } = traceNetwork({ x: { shape: [3, 1, 4] }, memory: { shape: [2, 1, 4] } }, ({ x, memory }) => ({
      y: decoder.forward(x, memory, { tgtIsCausal: true }),
    }))
    const memory = tensor([1, 2, 3, 4, 5, 6, 7, 8], [2, 1, 4])
    const run = async (last: number) => {
      const x = tensor([1, 2, 3, 4, 4, 3, 2, 1, last, 0, 0, 1], [3, 1, 4])
      return (await evaluate(program, { x, memory, ...parameters })).y!.data as Float32Array
    }
    const [one, other] = [await run(1), await run(9)]
    expect(one.subarray(0, 8)).toEqual(other.subarray(0, 8))
    expect(one.subarray(8)).not.toEqual(other.subarray(8))
  })
})
