// The front door: `import { ModuleManager } from 'enigma'` opens the module system with the built-in modules in it.

import './interfaces.js'

export {
  type ChatMessage,
  CodeGeneration,
  type Completion,
  type Counter,
  type Emitter,
  EventBusService,
  type FinishReason,
  GarbageCollection,
  type GarbageItem,
  type GarbageReport,
  type GarbageRule,
  type Gauge,
  type GenerateOptions,
  type GenerationStream,
  type Heartbeat,
  type Histogram,
  type Labels,
  LanguageModel,
  type LanguageModelService,
  Logging,
  type MetricSeries,
  Metrics,
  type MetricView,
  TextGeneration,
  Tokenization,
  Training,
  type TrainingJob,
  type TrainingJobStatus,
  type TrainingOptions,
  type TrainingReport,
  type TrainingResult,
} from '@enigma/contracts'
export { type EnigmaFolders, enigmaFolders } from '@enigma/files'
export {
  type CanLoad,
  type CommandContext,
  checkModules,
  defineModule,
  detectPlatform,
  type EventBus,
  type HardwareProfile,
  type Health,
  type LoadOptions,
  type LoadReport,
  type ManifestInput,
  type ModuleCommand,
  type ModuleConfig,
  type ModuleContext,
  type ModuleDefinition,
  ModuleError,
  type ModuleErrorCode,
  type ModuleFilter,
  type ModuleInfo,
  ModuleInstaller,
  type ModuleProblem,
  type ModuleView,
  type PermissionLine,
  permissionReport,
  ServiceGone,
  type StagedModule,
  type Token,
  token,
  unwrap,
} from '@enigma/kernel'
export {
  type CachedModel,
  cachedFolder,
  type EvaluateOptions,
  type Evaluation,
  type ExportedModel,
  type ExportModelOptions,
  evaluate,
  exportModel,
  type FoundModel,
  findCachedModels,
  findModels,
  type ImportedModel,
  type ImportOptions,
  importModel,
  LmError,
  type LmErrorCode,
  memoryEstimate,
  openModelFolder,
  type PulledModel,
  type PullOptions,
  presetTable,
  pullModel,
  type QuantizationName,
  type QuantizedFolder,
  type QuantizeOptions,
  quantizeModel,
  type Reference,
  type ScheduleName,
  TensorError,
  Tokenizer,
  type Tool,
  type ToolAnswer,
  type ToolCall,
  type ToolChoice,
  type ToolMessage,
  type TrainEvent,
  trainTokenizer,
} from '@enigma/lm'
export { type ApiKey, type KeyScope, KeyStore } from '@enigma/module-api-server/keys'
export { type RunFile, readRunFile } from '@enigma/module-api-server/run-file'
export type { ApiServer, ApiServerStatus } from '@enigma/module-api-server/types'
export type { ChatApi } from '@enigma/module-chat-api/types'
export type { EventBusInterface, JournalEvent } from '@enigma/module-event-bus/types'
export type { GarbageCollectorService, LastRun } from '@enigma/module-garbage-collector/types'
export type { GgufLoader, GgufLoaderStatus } from '@enigma/module-gguf-loader/types'
export type { Gui } from '@enigma/module-gui/types'
export type { HeartbeatService } from '@enigma/module-heartbeat/types'
export type { BeamRequest, Inference, InferenceStatus, ToolRequest } from '@enigma/module-inference/types'
export type { CollectorStatus, MetricsService } from '@enigma/module-metrics-collector/types'
export { type ModelWish, resolveModel } from '@enigma/module-model/resolve-model'
export { modelRoots } from '@enigma/module-model/roots'
export type { TokenizerService } from '@enigma/module-tokenizer/types'
export type { TrainingJobView, TrainingService } from '@enigma/module-training/types'
export { nativeRuntime } from '@enigma/tensor'
export { builtinModules } from './builtin-modules.js'
export { ModuleManager, type OpenOptions } from './manager.js'
export { type ScaffoldOptions, scaffoldModule } from './scaffold/scaffold-module.js'
