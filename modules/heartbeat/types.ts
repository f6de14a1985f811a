import type { Heartbeat } from '@enigma/contracts'
import type { Health } from '@enigma/kernel'

export type Metric = 'timestamp' | 'status' | 'uptime' | 'memory' | 'cpu' | 'version'

/** The config of `module.yaml`, defaults filled in. */
export interface HeartbeatConfig {
  /** `500ms`, `30s`, `5m`, `1h`. */
  readonly interval: string
  readonly outputPath?: string
  readonly autoStart: boolean
  readonly includeMetrics: readonly Metric[]
}

/** What `getInterface('heartbeat')` gives. */
export interface HeartbeatService {
  /** Beats now and then at the interval; does nothing while it runs. */
  start(): Promise<void>
  /** Ends when a beat under way is written; does nothing while it does not run. */
  stop(): Promise<void>
  isRunning(): boolean
  /** Writes one beat now. A file that cannot be written is logged, never thrown. */
  beat(): Promise<void>
  /** The last beat that was written. */
  last(): Heartbeat | undefined
  /** The file. */
  readonly path: string
  health(): Health
}
