export { nativeRuntime } from '#platform'
export type { BoundRun, Device, Runtime, Session, SessionOptions } from './runtime.js'
export { type OrtWeb, webRuntime } from './web.js'
