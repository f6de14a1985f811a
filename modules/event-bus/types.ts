import type { EventBusService } from '@enigma/contracts'

/** The config of `module.yaml`, defaults filled in. */
export interface EventBusConfig {
  readonly maxListeners: number
  readonly persist: boolean
  readonly pattern: string
  readonly maxSize: string
  readonly maxFiles: number
}

/** One line of the journal. */
export interface JournalEvent {
  readonly id: string
  /** ISO 8601. */
  readonly time: string
  readonly event: string
  readonly payload: unknown
  readonly pid: number
}

export interface ListenerInfo {
  readonly event: string
  readonly module: string
}

/** What `getInterface('event-bus')` gives. */
export interface EventBusInterface extends EventBusService {
  /** Who listens to what through this service, oldest first. */
  listeners(): readonly ListenerInfo[]
}
