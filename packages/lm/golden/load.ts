/** Reads the golden files that make_golden.py wrote, for the tests that compare the engine with them. */
import { readFileSync } from 'node:fs'
import {
  type GoldenConfig,
  type GoldenDataRule,
  type GoldenParameterSpec,
  goldenProjection,
  goldenSampleIndices,
  goldenSeeds,
  goldenTokens,
  hashedIndices,
  inputsAndTargets,
} from './generate.js'

/** The gradient of the loss with respect to one parameter. */
export interface GoldenGradient extends GoldenParameterSpec {
  /** Place in the parameter order, and seed. */
  readonly ordinal: number
  /** L2 norm of the whole gradient. */
  readonly norm: number
  /** Four random projections of the whole gradient (`goldenProjection`). */
  readonly projections: readonly number[]
  /** Row-major places of `values` in the gradient; all of them in order when `full`. */
  readonly indices: Int32Array
  readonly values: Float32Array
  readonly full: boolean
  /** ‖Δ‖/‖g‖ of PyTorch's own float32 against float64: what rounding alone gives. */
  readonly float32Error: number
}

/** Loss, logits, gradients and decoding of one configuration, from float64. */
export interface GoldenModel {
  readonly config: GoldenConfig
  readonly parameterCount: number
  /** [batch, length], row-major. */
  readonly batch: number
  readonly length: number
  readonly inputs: Int32Array
  readonly targets: Int32Array
  /** Mean cross-entropy in nats. */
  readonly loss: number
  /** Some logits of the flat [batch, length, vocab]. */
  readonly logits: { readonly indices: Int32Array; readonly values: Float32Array; readonly norm: number }
  /** L2 norm over all gradients, before any clipping. */
  readonly gradientNorm: number
  readonly gradients: readonly GoldenGradient[]
  readonly decode: {
    readonly prompt: readonly number[]
    /** Logits [vocab] of the prompt's last position. */
    readonly lastLogits: Float32Array
    /** The next 32 tokens of greedy decoding. */
    readonly greedy: readonly number[]
    /** Smallest distance of best and second logit on the way: greedy decoding is safe below half of it. */
    readonly smallestMargin: number
  }
}

/** 100 AdamW steps from the golden weights, in PyTorch's float32. */
export interface GoldenSteps {
  readonly config: GoldenConfig
  readonly batch: number
  readonly length: number
  readonly steps: number
  readonly optimizer: {
    readonly learningRate: number
    readonly beta1: number
    readonly beta2: number
    readonly epsilon: number
    /** Decoupled, on matrices and the embedding only. */
    readonly weightDecay: number
    readonly clipNorm: number
  }
  readonly data: GoldenDataRule
  /** Nats, of each step's batch before its update. */
  readonly losses: readonly number[]
  /** The same in float64. */
  readonly float64Losses: readonly number[]
  /** Before clipping. */
  readonly gradientNorms: readonly number[]
  /** L2 norm of every parameter after the last step, by name. */
  readonly finalParameterNorms: Readonly<Record<string, number>>
}

interface Slice {
  readonly offset: number
  readonly count: number
}

interface ModelFile {
  readonly config: GoldenConfig
  readonly parameterCount: number
  readonly batch: { readonly batch: number; readonly length: number }
  readonly loss: number
  readonly logits: { readonly values: Slice; readonly norm: number }
  readonly sampleCount: number | null
  readonly gradientNorm: number
  readonly gradients: readonly (GoldenParameterSpec & {
    readonly norm: number
    readonly projections: readonly number[]
    readonly full: boolean
    readonly values: Slice
    readonly float32Error: number
  })[]
  readonly decode: {
    readonly prompt: readonly number[]
    readonly lastLogits: Slice
    readonly greedy: readonly number[]
    readonly smallestMargin: number
  }
}

/** Where the golden files lie, seen from the built file in dist/golden. */
const folder = new URL('../../golden/', import.meta.url)

/** The parsed JSON of a golden file. */
export function readGoldenJson(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8'))
}

/** Golden loss, logits, gradients and decoding. */
export function loadGoldenModel(name: 'llama-nano' | 'llama-5m'): GoldenModel {
  const file = readGoldenJson(name) as ModelFile
  const bytes = readFileSync(new URL(`${name}.bin`, folder))
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const floats = ({ offset, count }: Slice) =>
    Float32Array.from({ length: count }, (_, i) => view.getFloat32(4 * (offset + i), true))
  const { batch, length } = file.batch
  const { vocab } = file.config
  return {
    config: file.config,
    parameterCount: file.parameterCount,
    batch,
    length,
    ...inputsAndTargets(goldenTokens(goldenSeeds.batch, batch, length + 1, vocab), length),
    loss: file.loss,
    logits: {
      indices: hashedIndices(goldenSeeds.logits, batch * length * vocab, file.logits.values.count),
      values: floats(file.logits.values),
      norm: file.logits.norm,
    },
    gradientNorm: file.gradientNorm,
    gradients: file.gradients.map((gradient, ordinal) => ({
      ...gradient,
      ordinal,
      indices: goldenSampleIndices(
        ordinal,
        gradient.shape.reduce((a, b) => a * b, 1),
        file.sampleCount,
      ),
      values: floats(gradient.values),
    })),
    decode: { ...file.decode, lastLogits: floats(file.decode.lastLogits) },
  }
}

/** Golden losses of 100 training steps. */
export function loadGoldenSteps(name: 'llama-nano-steps' | 'llama-5m-steps'): GoldenSteps {
  return readGoldenJson(name) as GoldenSteps
}

/** How far a whole gradient is from the golden one, each number relative to the golden norm. */
export function gradientErrors(
  golden: GoldenGradient,
  actual: Float32Array,
): { sampled: number; projected: number; norm: number } {
  const difference = golden.indices.reduce((sum, at, j) => sum + (actual[at]! - golden.values[j]!) ** 2, 0)
  const reference = golden.values.reduce((sum, value) => sum + value ** 2, 0)
  const projected = golden.projections.reduce(
    (sum, value, k) => sum + (goldenProjection(golden.ordinal, k, actual) - value) ** 2,
    0,
  )
  const norm = Math.sqrt(actual.reduce((sum, value) => sum + value ** 2, 0))
  return {
    sampled: Math.sqrt(difference / reference),
    projected: Math.sqrt(projected / golden.projections.length) / golden.norm,
    norm: Math.abs(norm - golden.norm) / golden.norm,
  }
}
