import { losses, TrainingStep, type TrainingStepOptions } from '@enigma/nn'
import type { Device } from '@enigma/tensor'
import type { LlamaForCausalLM } from './llama.js'

export interface LanguageModelingStepOptions {
  readonly optimizer: TrainingStepOptions<string>['optimizer']
  /** Sequences per batch. */
  readonly batch: number
  /** Tokens per sequence. */
  readonly length: number
  readonly clipNorm?: number
  readonly accumulate?: number
  readonly threads?: number
  readonly spin?: boolean
  /** Where it is computed: `cpu` (default), `webgpu` or `cuda`, if this build of ONNX Runtime and this machine have it. */
  readonly device?: Device
  readonly seed?: number
}

/** A training step of next-token prediction: inputs `tokens` i64 [batch, length] and `targets` i64 [batch·length] (-100: not counted). */
export function languageModelingStep(
  model: LlamaForCausalLM,
  { batch, length, ...options }: LanguageModelingStepOptions,
): Promise<TrainingStep<'tokens' | 'targets'>> {
  return TrainingStep.compile({
    ...options,
    parameters: model.namedParameters(),
    inputs: { tokens: { shape: [batch, length], dtype: 'i64' }, targets: { shape: [batch * length], dtype: 'i64' } },
    loss: ({ tokens, targets }) => losses.crossEntropy(model.forward(tokens), targets),
  })
}
