import type { ModuleConfig } from '../config/config.js'
import { withoutSecrets } from '../config/secrets.js'
import type { Discovered } from '../discovery/discovery.js'
import type { ModuleRecord } from '../lifecycle/record.js'
import type { ModulePhase, ModuleState } from '../lifecycle/state.js'
import type { CommandInfo, Manifest, ModuleCategory, ModuleKind } from '../manifest/manifest.js'
import { canonical } from '../names.js'
import type { Amounts } from '../resources/ledger.js'
import type { HealthRecord } from '../supervision/health.js'
import type { Quarantined } from '../supervision/quarantine.js'

/** One line about a module, for lists. */
export interface ModuleInfo {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly version: string
  readonly kind: ModuleKind
  readonly category: ModuleCategory
  readonly state: ModuleState
  readonly phase: ModulePhase | undefined
  readonly requires: readonly string[]
  readonly optional: readonly string[]
  readonly conflicts: readonly string[]
  readonly provides: readonly string[]
  readonly cloud: boolean
  readonly commands: readonly CommandInfo[]
  /** Why it is in `error`, or what is wrong with its manifest. */
  readonly error: string | undefined
  /** Its manifest cannot be used; it can be looked at, not loaded. */
  readonly broken: boolean
}

/** Which modules to list. */
export interface ModuleFilter {
  readonly category?: ModuleCategory
  readonly kind?: ModuleKind
  /** One that the modules provide, in any spelling; every module also provides its own id. */
  readonly capability?: string
}

/** Everything about one module, as it is now. */
export interface ModuleView {
  readonly id: string
  readonly state: ModuleState
  readonly phase: ModulePhase | undefined
  readonly info: Manifest
  readonly folder: string | undefined
  /** The config it is loaded with; secrets are hidden. */
  readonly config: ModuleConfig | undefined
  /** Bytes promised to it, and bytes it says it holds. */
  readonly usage: { readonly reserved: Amounts; readonly reported: Partial<Amounts> | undefined }
  readonly error: Error | undefined
  readonly stuck: boolean
  /** Loaded by name, not only because another needs it. */
  readonly wanted: boolean
  /** Its last answer to `health()`; undefined when it was not asked, or has none. */
  readonly health: HealthRecord | undefined
  /** Why and since when it is not loaded any more. */
  readonly quarantined: Quarantined | undefined
  /** What it has registered, oldest first. */
  readonly effects: readonly string[]
  readonly loadMs: number
  readonly startMs: number
}

export function infoOf(record: ModuleRecord): ModuleInfo {
  const { manifest } = record
  return {
    id: manifest.id,
    name: manifest.name,
    description: manifest.description,
    version: manifest.version,
    kind: manifest.kind,
    category: manifest.category,
    state: record.state,
    phase: record.phase,
    requires: manifest.requires.map(({ text }) => text),
    optional: manifest.optional.map(({ text }) => text),
    conflicts: manifest.conflicts,
    provides: manifest.provides.map(({ capability }) => capability),
    cloud: manifest.cloud !== false,
    commands: manifest.contributes.commands,
    error: record.error?.message,
    broken: false,
  }
}

export function brokenInfo({ id, result }: Discovered): ModuleInfo {
  return {
    id,
    name: id,
    description: '',
    version: '',
    kind: 'plugin',
    category: 'extension',
    state: 'error',
    phase: undefined,
    requires: [],
    optional: [],
    conflicts: [],
    provides: [],
    cloud: false,
    commands: [],
    error: result.ok ? undefined : result.error.message,
    broken: true,
  }
}

/** Whether a module has all that the filter names. */
export function matches(info: ModuleInfo, { category, kind, capability }: ModuleFilter): boolean {
  const wanted = capability === undefined ? undefined : canonical(capability)
  return (
    (category === undefined || info.category === category) &&
    (kind === undefined || info.kind === kind) &&
    (wanted === undefined || info.id === wanted || info.provides.includes(wanted))
  )
}

export function viewOf(
  record: ModuleRecord,
  reserved: Amounts,
  health: HealthRecord | undefined,
  quarantined: Quarantined | undefined,
): ModuleView {
  const { definition, context } = record
  return {
    id: record.id,
    state: record.state,
    phase: record.phase,
    info: record.manifest,
    folder: record.folder,
    config: record.config && withoutSecrets(record.manifest.config, record.config),
    usage: { reserved, reported: record.up && definition?.usage ? definition.usage(context!, record.implementation) : undefined },
    error: record.error,
    stuck: record.stuck,
    wanted: record.wanted,
    health,
    quarantined,
    effects: context?.effects ?? [],
    loadMs: record.loadMs ?? 0,
    startMs: record.startMs ?? 0,
  }
}
