// What the module system knows of a module before any of its code runs: the normalised form of `module.yaml`.

/** The version of the module interface this kernel offers; a manifest's `api` is a floor under it. */
export const hostApi = '1.0'

export const kinds = ['service', 'daemon', 'plugin'] as const
export type ModuleKind = (typeof kinds)[number]

export const categories = [
  'core',
  'generation',
  'memory',
  'perception',
  'output',
  'tools',
  'network',
  'interface',
  'extension',
] as const
export type ModuleCategory = (typeof categories)[number]

export const runtimes = ['inproc', 'worker', 'process', 'wasm', 'remote'] as const
export type ModuleRuntime = (typeof runtimes)[number]

/** A JSON Schema (draft 7) object; properties may carry `secret: true`. */
export type JsonSchema = { readonly [key: string]: unknown }

/** A need for a capability (a module id is one too) in a range of versions. */
export interface Requirement {
  readonly capability: string
  /** A semver range; `*` takes any version. */
  readonly range: string
  /** As written: `text-generation@^1`. */
  readonly text: string
}

/** A capability a module offers. */
export interface Provision {
  readonly capability: string
  /** Full semver, `1.0.0`. */
  readonly version: string
  /** `exclusive` (default): only one provider may be loaded; `shared`: any number. */
  readonly cardinality: 'exclusive' | 'shared'
  /** Higher is preferred; default 50. */
  readonly priority: number
}

/** What a module needs of the machine. Sizes in bytes. */
export interface Resources {
  readonly ram: number
  readonly vram: number
  /** `preferred`: runs without one; then `vram` is only reserved where it fits. */
  readonly gpu: 'required' | 'preferred' | 'none'
  /** Where the `vram` is taken: `auto`, the GPU with the most free; `gpu:0` the first one; `cpu`, none: then `vram` is 0. */
  readonly device: 'auto' | 'cpu' | `gpu:${number}`
  readonly threads: number
}

/** Time limits in milliseconds; defaults: load 30 s, start 60 s, stop 10 s, heartbeat 15 s. */
export interface LifecycleLimits {
  readonly loadTimeout: number
  readonly startTimeout: number
  readonly stopTimeout: number
  /** How long a module in a process or thread of its own may leave a ping unanswered. */
  readonly heartbeat: number
  /**
   * Whether it is started again when it ends by itself: `on-failure` after a crash, `always` also after a clean end. 1 s after
   * the first crash, twice as long after each further one; three crashes in five minutes put it into quarantine. Default `never`.
   */
  readonly restart: 'never' | 'on-failure' | 'always'
  /** May be unloaded while idle to make room, also when it was loaded by name, where the manager's `eviction` says so. Default false. */
  readonly evictable: boolean
}

/** An option of a contributed command. */
export interface CommandOption {
  readonly name: string
  readonly alias?: string
  readonly type?: 'string' | 'number' | 'boolean' | 'array'
  readonly description?: string
  readonly required?: boolean
  readonly default?: unknown
  readonly choices?: readonly unknown[]
}

/** A command a module contributes, `enigma <module>:<name>`. */
export interface CommandInfo {
  readonly name: string
  readonly description: string
  /** The file with the command's code, relative to the module's folder; default `./dist/cli/<name>.js`. */
  readonly entry: string
  readonly options: readonly CommandOption[]
}

/** What brings a saved config to version `to` from the one before. Names may be paths (`net.host`); done in this order. */
export interface Migration {
  readonly to: number
  /** Old name → new name; a path as the new name moves the value. */
  readonly rename: Readonly<Record<string, string>>
  readonly remove: readonly string[]
  /** Values for keys that are not there. */
  readonly defaults: Readonly<Record<string, unknown>>
}

/** The normalised manifest. All lists are present, names canonical, sizes bytes, durations milliseconds. */
export interface Manifest {
  readonly id: string
  readonly name: string
  readonly version: string
  readonly description: string
  readonly kind: ModuleKind
  readonly category: ModuleCategory
  readonly api: string
  readonly entry: string
  readonly runtime: ModuleRuntime
  readonly requires: readonly Requirement[]
  readonly optional: readonly Requirement[]
  readonly after: readonly string[]
  readonly conflicts: readonly string[]
  readonly provides: readonly Provision[]
  /** `{ unlessLoopback: key }`: cloud unless the config's `key` is a loopback URL. */
  readonly cloud: boolean | { readonly unlessLoopback: string }
  readonly resources: Resources
  readonly permissions: { readonly fs: readonly string[]; readonly net: readonly string[]; readonly child: boolean }
  readonly lifecycle: LifecycleLimits
  /**
   * What makes the manager load the module by itself: `onStart`, `onCommand:<module>:<command>`, `onCapability:<capability>`,
   * `onEvent:<pattern>` (manifest/activation.ts).
   */
  readonly activation: readonly string[]
  /** Schema of the module's config; undefined takes none. */
  readonly config: JsonSchema | undefined
  /** Version of that schema, from 1; saved configs of earlier versions are migrated. */
  readonly configVersion: number
  /** By ascending `to`. */
  readonly migrations: readonly Migration[]
  readonly contributes: { readonly commands: readonly CommandInfo[]; readonly console: Readonly<Record<string, unknown>> }
  /** The manifest's `x-*` keys. */
  readonly extra: Readonly<Record<string, unknown>>
}

/** A manifest as written in `module.yaml` or passed to `register`; everything but `id` and `version` may be left out. */
export interface ManifestInput {
  id: string
  version: string
  name?: string
  description?: string
  kind?: ModuleKind
  category?: ModuleCategory
  api?: string
  entry?: string
  runtime?: ModuleRuntime
  requires?: readonly string[]
  optional?: readonly string[]
  after?: readonly string[]
  conflicts?: readonly string[]
  provides?: readonly (
    | string
    | { capability: string; version?: string; cardinality?: 'exclusive' | 'shared'; priority?: number }
  )[]
  cloud?: boolean | { unlessLoopback: string }
  resources?: {
    ram?: string | number
    vram?: string | number
    gpu?: boolean | 'required' | 'preferred' | 'none'
    device?: 'auto' | 'cpu' | `gpu:${number}`
    threads?: number
  }
  permissions?: { fs?: readonly string[]; net?: readonly string[]; child?: boolean }
  lifecycle?: {
    loadTimeout?: string | number
    startTimeout?: string | number
    stopTimeout?: string | number
    heartbeat?: string | number
    restart?: 'never' | 'on-failure' | 'always'
    evictable?: boolean
  }
  activation?: readonly string[]
  config?: JsonSchema
  configVersion?: number
  migrations?: readonly {
    to: number
    rename?: Readonly<Record<string, string>>
    remove?: readonly string[]
    defaults?: Readonly<Record<string, unknown>>
  }[]
  contributes?: {
    commands?: readonly { name: string; description?: string; entry?: string; options?: readonly CommandOption[] }[]
    console?: Record<string, unknown>
  }
  [extra: `x-${string}`]: unknown
}
