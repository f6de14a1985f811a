import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FloatTensor } from '@enigma/tensor/formats'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createConfig, type ModelConfigOptions } from '../config.js'
import { isFault } from '../errors.js'
import { yarnAttentionFactor } from '../model/rope.js'
import { parameterSpecs } from '../parameters.js'
import { type Tokenizer, trainBpe } from '../tokenizer/index.js'
import { exportGguf, type GgufFileType } from './export-gguf.js'
import { GgufFile, writeGguf } from './gguf-file.js'
import { readGgufModel } from './gguf-model.js'
import { ggufName, turnedHeads, turnRows } from './gguf-names.js'
import { tokenizerFromGguf } from './gguf-tokenizer.js'
import { GGUF_TYPES, type GgufType, type GgufTypeName } from './gguf-types.js'

let folder: string
let tokenizer: Tokenizer
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'enigma-gguf-'))
  tokenizer = (await trainBpe({ texts: ['the hare and the tortoise ran and ran'], vocabSize: 280 })).tokenizer
})
afterAll(() => rm(folder, { recursive: true }))

interface Golden {
  readonly values: number[]
  readonly types: Readonly<Record<string, { bytes: string; decoded: number[] }>>
}

describe('blocks', () => {
  it.each(['F16', 'BF16', 'Q8_0', 'Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q2_K', 'Q3_K', 'Q4_K', 'Q5_K', 'Q6_K'] as const)(
    'of %s are those of the reference, bit by bit',
    async (name) => {
      const golden = JSON.parse(await readFile(new URL('../../golden/gguf-blocks.json', import.meta.url), 'utf8')) as Golden
      const { encode, decode, block, bytes }: GgufType = GGUF_TYPES[name]
      const values = Float32Array.from(golden.values)
      const { bytes: text, decoded } = golden.types[name]!
      const stored = Uint8Array.from(Buffer.from(text, 'base64'))
      expect(stored.length).toBe((decoded.length / block) * bytes)
      const read = new Float32Array(decoded.length)
      decode(stored, read)
      expect([...read]).toEqual([...Float32Array.from(decoded)])
      if (!encode) return
      const written = new Uint8Array(stored.length)
      expect(encode(values, written)).toBe(0)
      expect(Buffer.from(written).equals(Buffer.from(stored))).toBe(true)
    },
  )
})

const base = { dim: 64, layers: 4, heads: 4, kvHeads: 2, headDim: 16, hidden: 96, context: 64, rmsNormEps: 1e-5 }
const shapes: Readonly<Record<string, Partial<ModelConfigOptions>>> = {
  llama: { bosId: 0, eosIds: [1, 2], padId: 0 },
  'llama with biases and stretched positions': {
    ...{ qkvBias: true, outputBias: true, mlpBias: true, tieEmbeddings: false },
    ropeScaling: { type: 'llama3', factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalContext: 32 },
  },
  'llama with wide heads': { headDim: 32, ropeTheta: 5e5, ropeScaling: { type: 'linear', factor: 4 } },
  qwen2: {
    qkvBias: true,
    ropeScaling: {
      type: 'yarn',
      factor: 4,
      originalContext: 32,
      betaFast: 32,
      betaSlow: 1,
      attentionFactor: yarnAttentionFactor(4),
      truncate: true,
    },
  },
  qwen3: { qkNorm: true, headDim: 32, ropeTheta: 1e6 },
  smollm3: { noRopeLayers: [3] },
}
const configOf = (shape: Partial<ModelConfigOptions>) => createConfig({ vocabSize: tokenizer.vocabSize + 3, ...base, ...shape })

function weightsOf(config: ReturnType<typeof configOf>): Readonly<Record<string, FloatTensor>> {
  return Object.fromEntries(
    parameterSpecs(config).map(({ name, shape }, ordinal) => {
      const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(ordinal + i))
      return [name, { dtype: 'f32', shape, data }]
    }),
  )
}

async function write(name: string, type: GgufFileType = 'f32', shape: Partial<ModelConfigOptions> = shapes[name]!) {
  const config = configOf(shape)
  const weights = weightsOf(config)
  const path = join(folder, `${name}.gguf`)
  const tensors = { read: async (parameter: string) => weights[parameter]!.data }
  await exportGguf(path, { name, config, tensors, tokenizer: { json: tokenizer.toJson(), chatTemplate: '{{ x }}' }, type })
  return { path, config, weights }
}

describe('a GGUF file', () => {
  it.each(Object.keys(shapes))('gives back the configuration and the weights of %s', async (name) => {
    const { path, config, weights } = await write(name)
    await using file = await GgufFile.open(path)
    const model = await readGgufModel(file)
    expect(model.config).toEqual(config)
    expect(file.metadata.get('tokenizer.chat_template')).toBe('{{ x }}')
    for (const { name: parameter, shape } of parameterSpecs(config)) {
      const data = await file.read(ggufName(parameter))
      const heads = model.turned ? turnedHeads(parameter, config) : 0
      const rows = heads === 0 ? data : turnRows(data, shape[0]!, heads, 'to halves')
      expect(Buffer.from(rows.buffer).equals(Buffer.from(weights[parameter]!.data.buffer)), parameter).toBe(true)
    }
  })

  it('has a tokenizer with the same ids', async () => {
    const { path } = await write('llama')
    await using file = await GgufFile.open(path)
    const { Tokenizer } = await import('../tokenizer/index.js')
    const read = Tokenizer.fromJson(tokenizerFromGguf(file.metadata, path))
    expect(read.vocabSize).toBe(tokenizer.vocabSize)
    for (const text of ['the hare', 'é 12\n\n 🐢 <|im_start|>', '']) {
      expect(read.encode(text, { special: true })).toEqual(tokenizer.encode(text, { special: true }))
      expect(read.decode(read.encode(text))).toBe(text)
    }
  })

  it.each([
    ['f16', 'F16', 'F16', 5e-4],
    ['bf16', 'BF16', 'BF16', 4e-3],
    ['q8_0', 'Q8_0', 'Q8_0', 5e-3],
    ['q4_0', 'Q4_0', 'Q8_0', 0.13],
  ] as const)(
    'of type %s stores matrices as %s, the embedding as %s and norms in full',
    async (type, matrices, embedding, error) => {
      const { path, weights } = await write('llama', type)
      await using file = await GgufFile.open(path)
      const typeOf = (name: string): GgufTypeName => file.tensors.get(name)!.type
      expect([typeOf('blk.0.ffn_up.weight'), typeOf('token_embd.weight'), typeOf('output_norm.weight')]).toEqual([
        matrices,
        embedding,
        'F32',
      ])
      const [read, given] = [await file.read('blk.0.ffn_up.weight'), weights['model.layers.0.mlp.up_proj.weight']!.data]
      const worst = read.reduce((most, value, i) => Math.max(most, Math.abs(value - given[i]!)), 0)
      expect(worst).toBeLessThan(error)
      expect(worst).toBeGreaterThan(0)
    },
  )

  it('stores rows that are no multiple of 32 in half precision', async () => {
    const { path } = await write('odd', 'q4_0', { hidden: 80 })
    await using file = await GgufFile.open(path)
    expect(file.tensors.get('blk.0.ffn_down.weight')!.type).toBe('F16')
    expect(file.tensors.get('blk.0.ffn_up.weight')!.type).toBe('Q4_0')
  })

  it('is not written for what llama.cpp does not compute, and nothing is left behind', async () => {
    const before = await readdir(folder)
    await expect(write('windowed', 'f32', { slidingWindow: 8 })).rejects.toThrow(
      /None of llama.cpp's .* computes .*"slidingWindow":8/,
    )
    await expect(write('mixed', 'f32', { qkNorm: true, qkvBias: true })).rejects.toMatchObject({ code: 'UNSUPPORTED_MODEL' })
    const config = configOf({})
    const tensors = { read: async () => new Float32Array(3) }
    const broken = exportGguf(join(folder, 'x.gguf'), {
      name: 'x',
      config,
      tensors,
      tokenizer: { json: tokenizer.toJson() },
      type: 'f32',
    })
    await expect(broken).rejects.toMatchObject({ code: 'SHAPE_MISMATCH' })
    expect(await readdir(folder)).toEqual(before)
  })
})

it('a bias whose heads are no whole blocks is refused, not read askew', async () => {
  const path = join(folder, 'askew.gguf')
  const values = () => new Float32Array(64)
  await writeGguf(path, {}, [{ name: 'blk.0.attn_q.bias', shape: [64], type: 'Q8_0', values }])
  await using file = await GgufFile.open(path)
  expect((await file.read('blk.0.attn_q.bias')).length).toBe(64)
  const pieces = file.pieces('blk.0.attn_q.bias', 16)
  await expect(pieces.next()).rejects.toThrow(/"blk.0.attn_q.bias" is Q8_0, whose blocks of 32 do not fit pieces of 16/)
})

describe('a damaged GGUF file', () => {
  const outcome = async (path: string) => {
    try {
      await using file = await GgufFile.open(path)
      await readGgufModel(file)
      return 'read'
    } catch (error) {
      return isFault(error) ? error.code : error
    }
  }

  it('is refused wherever it is cut', async () => {
    const { path } = await write('llama')
    const bytes = await readFile(path)
    const cut = join(folder, 'cut.gguf')
    for (const length of [0, 3, 7, 20, 100, 2000, 9000, bytes.length - 40_000, bytes.length - 1]) {
      await writeFile(cut, bytes.subarray(0, length))
      expect(['FILE_TRUNCATED', 'FILE_CORRUPT']).toContain(await outcome(cut))
    }
  })

  it('that claims more than it has takes no memory for it', async () => {
    const head = (tensors: bigint, keys: bigint) => {
      const bytes = Buffer.alloc(64)
      bytes.write('GGUF')
      bytes.writeUInt32LE(3, 4)
      bytes.writeBigUInt64LE(tensors, 8)
      bytes.writeBigUInt64LE(keys, 16)
      return bytes
    }
    const path = join(folder, 'liar.gguf')
    for (const bytes of [head(1n << 60n, 0n), head(0n, 1n << 40n)]) {
      await writeFile(path, bytes)
      expect(await outcome(path)).toBe('FILE_CORRUPT')
    }
  })

  it('of a type this does not read names tensor and type', async () => {
    const { path } = await write('llama')
    const bytes = await readFile(path)
    const at = bytes.indexOf('blk.0.attn_k.weight') + 'blk.0.attn_k.weight'.length
    bytes.writeUInt32LE(18, at + 4 + 16)
    await writeFile(path, bytes)
    await expect(GgufFile.open(path)).rejects.toThrow(/"blk.0.attn_k.weight" is stored as IQ3_XXS; this reads F32, F16/)
  })
})
