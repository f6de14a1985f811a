import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FloatTensor } from '@enigma/tensor/formats'
import type { ModelConfig } from '../config.js'
import { hashUniform } from '../golden/generate.js'
import { configFromHuggingFace } from '../huggingface-config.js'
import type { GgufValue } from './gguf-header.js'

/** Where `golden/families.py` writes. */
export const goldenFolder = fileURLToPath(new URL('../../golden/families', import.meta.url))

export const goldenFamilies = ['llama', 'llama-biases', 'llama-linear', 'mistral', 'qwen2', 'qwen3', 'smollm3'] as const

/** A tiny model of one family with its weights, and the logits that transformers computes at some positions. */
export interface GoldenFamily {
  readonly config: ModelConfig
  readonly weights: Readonly<Record<string, FloatTensor>>
  readonly tokens: readonly number[]
  readonly positions: readonly number[]
  readonly logits: readonly (readonly number[])[]
  /** As transformers writes it. */
  readonly configJson: Readonly<Record<string, unknown>>
}

export async function loadFamily(name: string): Promise<GoldenFamily> {
  const golden = JSON.parse(await readFile(join(goldenFolder, `${name}.json`), 'utf8')) as {
    config: Record<string, unknown>
    parameters: [string, number[]][]
    tokens: number[]
    positions: number[]
    logits: number[][]
  }
  const weights = golden.parameters.map(([parameter, shape], ordinal) => {
    const elements = shape.reduce((product, size) => product * size, 1)
    const scale = parameter.includes('embed') ? 2 : 0.5
    const middle = parameter.endsWith('norm.weight') ? 1 : 0
    const data = Float32Array.from({ length: elements }, (_, i) => middle + (hashUniform(ordinal, i) - 0.5) * scale)
    return [parameter, { dtype: 'f32', shape, data } as const] as const
  })
  const { tokens, positions, logits } = golden
  const config = configFromHuggingFace(golden.config, `${name}.json`)
  return { config, weights: Object.fromEntries(weights), tokens, positions, logits, configJson: golden.config }
}

/** A small BPE that SentencePiece trained (`golden/sentencepiece_bpe.py`), as a GGUF file holds it, and what SentencePiece makes of texts. */
export async function loadSentencePiece(): Promise<{
  readonly metadata: ReadonlyMap<string, GgufValue>
  readonly kinds: readonly number[]
  readonly texts: readonly string[]
  readonly ids: readonly (readonly number[])[]
}> {
  const { tokens, scores, kinds, texts, ids } = JSON.parse(
    await readFile(new URL('../../golden/sentencepiece-bpe.json', import.meta.url), 'utf8'),
  ) as { tokens: string[]; scores: number[]; kinds: number[]; texts: string[]; ids: number[][] }
  const metadata = new Map<string, GgufValue>([
    ['tokenizer.ggml.model', 'llama'],
    ['tokenizer.ggml.tokens', tokens],
    ['tokenizer.ggml.scores', Float32Array.from(scores)],
    ['tokenizer.ggml.token_type', Int32Array.from(kinds)],
  ])
  return { metadata, kinds, texts, ids }
}

/** The largest difference of two lists of numbers. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a).reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i]!)), a.length === b.length ? 0 : Infinity)
}
