import type { ModuleManager } from '@enigma/kernel'

/** Config of the module `api-server`; checked against the schema in `module.yaml`. */
export interface ApiServerConfig {
  readonly host: string
  readonly port: number
  readonly requireKey?: boolean
  readonly maxPending: number
  /** Requests a minute; 0 is no limit. */
  readonly rateLimit: number
  /** Bytes. */
  readonly bodyLimit: number
  readonly allowedHosts: readonly string[]
  readonly allowedOrigins: readonly string[]
  readonly drainSeconds: number
}

export interface ApiServerStatus {
  readonly url: string
  /** Generations under way or waiting. */
  readonly pending: number
  /** Requests answered since the server started. */
  readonly answered: number
  readonly draining: boolean
}

/** What `getInterface('api-server')` answers. */
export interface ApiServer {
  /** Where it listens, `http://127.0.0.1:4113`. */
  readonly url: string
  /** Lets `/api` of this server see and change the modules of `manager`. Until then those routes answer 503. */
  attach(manager: ModuleManager): void
  status(): ApiServerStatus
}
