export { nativeRuntime } from '#platform'
export { assertConsistent } from './match-tensors.js'
export type { BoundRun, Device, Runtime, Session, SessionOptions } from './runtime.js'
export { type OrtWeb, webRuntime } from './web.js'
