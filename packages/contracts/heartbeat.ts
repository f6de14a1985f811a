/** How the system is, as the heartbeat tells; which parts it tells is a matter of its config. */
export interface Heartbeat {
  /** ISO 8601. */
  readonly timestamp?: string
  readonly status?: 'healthy' | 'degraded' | 'unhealthy'
  /** Of the process, in seconds. */
  readonly uptime?: number
  /** In MB (mebibytes); of the container where one sets a limit. */
  readonly memory?: { readonly used: number; readonly total: number; readonly percentage: number }
  /** `usage` in percent of all cores; `loadAverage` over 1, 5 and 15 minutes. */
  readonly cpu?: { readonly usage: number; readonly loadAverage: readonly number[] }
  readonly version?: string
  readonly pid: number
  /** Milliseconds between two beats. */
  readonly interval: number
}
