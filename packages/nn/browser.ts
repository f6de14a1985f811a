/**
 * What a page gets of this package: networks, losses, optimizers, training steps, prediction, ONNX. What needs files, threads or a
 * terminal (data loaders, `fit`, saved weights) is Node's alone, in `index.ts`.
 */
export type { Batch, BatchResult, CompiledStep, CompileStepOptions, Metric } from './compile-step.js'
export * from './errors.js'
export * from './export/index.js'
export * as init from './init/index.js'
export { Layer, type LayerMember, type StateDict, type UnaryLayer } from './layer.js'
export { LayerBuffer } from './layer-buffer.js'
export * as nn from './layers/index.js'
export * as losses from './losses/index.js'
export * as optim from './optim/index.js'
export { Parameter } from './parameter.js'
export { type StepResult, TrainingStep, type TrainingStepOptions } from './step.js'
export { type TracedNetwork, traceNetwork } from './trace-network.js'
