export { nativeRuntime } from './native.js'
export type { BoundRun, Device, Runtime, Session, SessionOptions } from './runtime.js'
