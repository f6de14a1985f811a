import type { Metrics, TextGeneration, Training } from '@enigma/contracts'
import type { ModuleManager } from '@enigma/kernel'
import type { GenerationGate } from './http/generation-gate.js'

/** What the routes work with. The services come and go with their modules: ask at each use. */
export interface ServerContext {
  readonly generation: () => TextGeneration | undefined
  readonly training: () => Training | undefined
  readonly metrics: () => Metrics | undefined
  /** @throws ApiError 503 when no manager is attached */
  readonly manager: () => ModuleManager
  readonly gate: GenerationGate
  /** Seconds since the epoch. */
  readonly started: number
  readonly version: string
  readonly draining: () => boolean
}
