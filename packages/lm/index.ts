export { TensorError } from '@enigma/tensor'
export { ChatTemplate, type TemplateTokens } from './chat/chat-template.js'
export { templatedPrompt } from './chat/templated-prompt.js'
export * from './checkpoint/index.js'
export * from './config.js'
export * from './data/index.js'
export * from './errors.js'
export { type EvaluateOptions, type Evaluation, evaluate } from './evaluation/evaluate.js'
export type { Reference } from './evaluation/references.js'
export {
  EXPORT_FORMATS,
  type ExportedModel,
  type ExportFormat,
  type ExportModelOptions,
  exportModel,
} from './formats/export-model.js'
export { GgufFile } from './formats/gguf-file.js'
export { type ImportedModel, type ImportOptions, importModel } from './formats/import-model.js'
export { describedIn } from './formats/peft-adapter.js'
export type { BatchOptions, BatchStatus } from './generation/batching/batch.js'
export type { BeamOptions } from './generation/beam-search.js'
export { type ChatMessage, chatPrompt } from './generation/chat-prompt.js'
export type { JsonSchema } from './generation/constraint/json-schema.js'
export { Decoder, type DecoderOptions } from './generation/decoder.js'
export {
  type BeamGenerationOptions,
  checkGeneration,
  defaultMaxTokens,
  fitPrompt,
  type GenerationOptions,
  type GenerationResult,
  type ResponseFormat,
  schemaOf,
  type Truncation,
} from './generation/generation-options.js'
export { infillPrompt } from './generation/infill.js'
export type { TokenLogprob } from './generation/sampling/log-probabilities.js'
export { resolveSampling, type SamplingOptions } from './generation/sampling/sampling-options.js'
export { TextAssembly } from './generation/text-assembly.js'
export { type Prompt, TextGenerator, type TextGeneratorOptions } from './generation/text-generator.js'
export { chatWithTools, type ToolAnswer, type ToolChatOptions } from './generation/tools/tool-chat.js'
export type { Tool, ToolCall, ToolChoice, ToolMessage } from './generation/tools/tool-types.js'
export { type CachedModel, cachedFolder, findCachedModels } from './hub/cached-models.js'
export { type HubSettings, hubSettings } from './hub/hub-settings.js'
export { type PulledModel, type PullOptions, pullModel } from './hub/pull-model.js'
export * from './huggingface-config.js'
export { LanguageModel, type LoadOptions } from './language-model.js'
export * from './memory.js'
export { type LanguageModelingStepOptions, languageModelingStep } from './model/language-modeling-step.js'
export { LlamaForCausalLM } from './model/llama.js'
export type { LoraOptions, LoraTarget } from './model/lora.js'
export * from './parameters.js'
export * from './presets.js'
export { type QuantizationName, quantizationOf, weightBytes } from './quantization/quantization.js'
export { type QuantizedFolder, type QuantizeOptions, quantizeModel } from './quantization/quantize-model.js'
export * from './tokenizer/index.js'
export {
  type FindLearningRateOptions,
  findLearningRate,
  type LearningRateCurve,
  type RatePoint,
} from './training/find-learning-rate.js'
export { train } from './training/train.js'
export type { TrainEvent, TrainReport, TrainResult, TrainStart, TrainValidation } from './training/train-events.js'
export type { OptimizerName, ScheduleName, TrainOptions } from './training/train-options.js'
export { type TrainTokenizerOptions, trainTokenizer } from './training/train-tokenizer.js'
