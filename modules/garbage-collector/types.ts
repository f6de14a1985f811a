import type { GarbageCollection } from '@enigma/contracts'

/** The config of `module.yaml`, defaults filled in. Durations as `1h`. */
export interface GarbageCollectorConfig {
  readonly interval: string
  readonly temporaryAge: string
  readonly logAge: string
  readonly cacheAge: string
  readonly memory: boolean
}

/** What the last run did, as `garbage.json` in the state folder tells. */
export interface LastRun {
  /** ISO 8601. */
  readonly time: string
  readonly files: number
  readonly bytes: number
  readonly problems: readonly string[]
}

/** What `getInterface('garbage-collector')` gives. */
export interface GarbageCollectorService extends GarbageCollection {
  /** Of this process or another one; undefined when there was none. */
  lastRun(): Promise<LastRun | undefined>
}
