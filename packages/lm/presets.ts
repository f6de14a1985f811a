import { createConfig, hiddenSize, type ModelConfig, type ModelConfigOptions } from './config.js'
import { LmError } from './errors.js'
import { type MemoryEstimate, memoryEstimate } from './memory.js'

/** The sizes a model can be asked for by name, smallest first. The table is the only place that knows them. */
const TABLE = {
  nano: { dim: 128, layers: 4, heads: 4, kvHeads: 2, context: 256, dropout: 0.1 },
  micro: { dim: 192, layers: 4, heads: 4, kvHeads: 2, context: 384, dropout: 0.1 },
  tiny: { dim: 256, layers: 6, heads: 8, kvHeads: 4, context: 512, dropout: 0.1 },
  mini: { dim: 384, layers: 6, heads: 6, kvHeads: 3, context: 512, dropout: 0.1 },
  small: { dim: 512, layers: 8, heads: 8, kvHeads: 4, context: 1024, dropout: 0.1 },
  medium: { dim: 768, layers: 12, heads: 12, kvHeads: 4, context: 2048, dropout: 0.1 },
  base: { dim: 896, layers: 14, heads: 14, kvHeads: 2, context: 2048, dropout: 0.1 },
  large: { dim: 1024, layers: 16, heads: 16, kvHeads: 4, context: 4096, dropout: 0.1 },
  xl: { dim: 1536, layers: 24, heads: 24, kvHeads: 6, context: 4096, dropout: 0.05 },
  xxl: { dim: 2048, layers: 32, heads: 32, kvHeads: 8, context: 8192, dropout: 0.05 },
  huge: { dim: 2560, layers: 40, heads: 40, kvHeads: 8, context: 8192, dropout: 0.05 },
  giant: { dim: 4096, layers: 32, heads: 32, kvHeads: 8, context: 8192, dropout: 0.05 },
  colossal: { dim: 4096, layers: 48, heads: 32, kvHeads: 8, context: 16_384, dropout: 0.05 },
  titan: { dim: 6144, layers: 48, heads: 48, kvHeads: 12, context: 16_384, dropout: 0.05 },
  omega: { dim: 8192, layers: 64, heads: 64, kvHeads: 16, context: 32_768, dropout: 0.05 },
} as const

export type PresetName = keyof typeof TABLE

/** One size: what the name stands for. */
export interface Preset {
  readonly name: PresetName
  readonly dim: number
  readonly layers: number
  readonly heads: number
  readonly kvHeads: number
  readonly hidden: number
  readonly context: number
  /** Recommended share of activations dropped in training. */
  readonly dropout: number
}

/** All 15 sizes, smallest first. */
export const PRESETS: readonly Preset[] = (Object.keys(TABLE) as PresetName[]).map((name) =>
  Object.freeze({ name, hidden: hiddenSize(TABLE[name].dim), ...TABLE[name] }),
)

/**
 * The preset of a name.
 * @throws LmError UNKNOWN_PRESET, with the nearest name where one is near
 */
export function preset(name: string): Preset {
  const found = PRESETS.find((entry) => entry.name === name)
  if (found) return found
  const names = PRESETS.map((entry) => entry.name)
  const near = closest(name.toLowerCase(), names)
  const hint = near === undefined ? '' : ` Did you mean '${near}'?`
  throw new LmError('UNKNOWN_PRESET', `Unknown preset: ${name}.${hint} Available: ${names.join(', ')}`)
}

/** The configuration of a preset for a vocabulary; `overrides` replace single fields (a shorter context, special ids). */
export function presetConfig(name: string, vocabSize: number, overrides: Partial<ModelConfigOptions> = {}): ModelConfig {
  const { dim, layers, heads, kvHeads, hidden, context, dropout } = preset(name)
  return createConfig({ vocabSize, dim, layers, heads, kvHeads, hidden, context, dropout, ...overrides })
}

/** The preset whose layers a configuration has (vocabulary, context and dropout may differ), or null. */
export function presetOf(config: ModelConfig): PresetName | null {
  const found = PRESETS.find(
    (entry) =>
      (['dim', 'layers', 'heads', 'kvHeads', 'hidden'] as const).every((field) => entry[field] === config[field]) &&
      config.headDim === entry.dim / entry.heads,
  )
  return found?.name ?? null
}

/** A line of `models presets`. */
export interface PresetRow extends Preset {
  /** Exact, embeddings included (once, as they are tied). */
  readonly parameters: number
  readonly memory: MemoryEstimate
  /** Whether `memoryBytes` hold the model at work, and in training. */
  readonly fits: { readonly inference: boolean; readonly training: boolean }
}

/**
 * All presets with true sizes and whether they fit into `memoryBytes`, for `batch` sequences (default 1) of
 * `sequence` tokens (at most the preset's context; defaults as in {@link memoryEstimate}).
 */
export function presetTable(options: {
  memoryBytes: number
  vocabSize?: number
  batch?: number
  sequence?: number
}): PresetRow[] {
  const { memoryBytes, vocabSize = 8000, batch = 1, sequence } = options
  return PRESETS.map((entry) => {
    const config = presetConfig(entry.name, vocabSize)
    const memory = memoryEstimate(config, {
      batch,
      ...(sequence === undefined ? {} : { sequence: Math.min(sequence, entry.context) }),
    })
    const fits = { inference: memory.inference.total <= memoryBytes, training: memory.training.total <= memoryBytes }
    return { ...entry, parameters: memory.parameters, memory, fits }
  })
}

/** The nearest of `names` by edit distance, if at most a third of the word (and at least one letter) has to change. */
function closest(word: string, names: readonly PresetName[]): PresetName | undefined {
  const [best] = names.map((name) => ({ name, distance: editDistance(word, name) })).sort((a, b) => a.distance - b.distance)
  return best && best.distance <= Math.max(1, Math.floor(Math.max(word.length, best.name.length) / 3)) ? best.name : undefined
}

/** Levenshtein distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    }
    row = next
  }
  return row[b.length]!
}
