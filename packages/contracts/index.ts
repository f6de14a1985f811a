// The interfaces behind the capabilities: tokens, types, events. No behaviour.

import './events.js'

export { CodeGeneration } from './code-generation.js'
export { type Emitter, EventBusService } from './event-bus.js'
export { GarbageCollection, type GarbageItem, type GarbageReport, type GarbageRule } from './garbage-collection.js'
export type { Heartbeat } from './heartbeat.js'
export { LanguageModel, type LanguageModelService, type ModelHandle } from './language-model.js'
export { type LogFields, Logging } from './logging.js'
export {
  type Counter,
  type Gauge,
  type Histogram,
  type HistogramOptions,
  type Labels,
  type MetricOptions,
  type MetricSeries,
  Metrics,
  type MetricType,
  type MetricValue,
  type MetricView,
} from './metrics.js'
export {
  type ChatMessage,
  type Completion,
  type FinishReason,
  type GenerateOptions,
  type GenerationStream,
  type ResponseFormat,
  TextGeneration,
  type ToolAnswer,
  type ToolRequest,
} from './text-generation.js'
export { Tokenization } from './tokenization.js'
export type { Tool, ToolCall, ToolChoice, ToolMessage } from './tools.js'
export {
  Training,
  type TrainingJob,
  type TrainingJobStatus,
  type TrainingOptions,
  type TrainingReport,
  type TrainingResult,
} from './training.js'
export { type PageRequest, type WebPage, WebPages } from './web-pages.js'
