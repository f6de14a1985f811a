import semver from 'semver'
import type { ModuleErrorCode } from '../errors.js'
import { hostApi, type Manifest } from '../manifest/manifest.js'
import { toMB } from '../units.js'
import type { Catalogue, LoadedSet } from './catalogue.js'

// May this one module join that set on this machine? The checks and their order are the seed documents' `can_load`.

/** What is free for new modules, in bytes. */
export interface Capacity {
  readonly ram: number
  readonly vram: number
  /** Whether there is a GPU at all. */
  readonly gpu: boolean
}

/** Why a module may not be loaded. */
export interface Refusal {
  readonly code: ModuleErrorCode
  readonly module: string
  /** The seed's sentence, then what to do. */
  readonly reason: string
  /** Modules involved: the one in the way, the members of a cycle. */
  readonly modules: readonly string[]
}

export interface AdmissionState {
  readonly catalogue: Catalogue
  readonly loaded: LoadedSet
  readonly disabled: ReadonlySet<string>
  readonly localOnly: boolean
  readonly capacity: Capacity
  /** Memory a loaded module holds, in bytes; by default what its manifest says. */
  readonly held?: (id: string) => { readonly ram: number; readonly vram: number }
  /** Configs asked for, by module; `cloud: { unlessLoopback }` looks at them. */
  readonly configs?: ReadonlyMap<string, Readonly<Record<string, unknown>>>
  /** Modules that cannot be loaded for a reason outside the resolver's world, with the reason. */
  readonly unavailable?: ReadonlyMap<string, string>
}

/**
 * The reason why `module` cannot join the loaded set and the `chosen` ones, or undefined.
 * `taken` is the memory that the chosen ones need already, in bytes.
 */
export function refusal(
  module: Manifest,
  state: AdmissionState,
  chosen: LoadedSet,
  taken: { readonly ram: number; readonly vram: number },
): Refusal | undefined {
  const refuse = (code: ModuleErrorCode, reason: string, ...modules: string[]): Refusal => ({
    code,
    module: module.id,
    reason,
    modules,
  })
  const { id } = module

  const unavailable = state.unavailable?.get(id)
  if (unavailable !== undefined) return refuse('STUCK', unavailable)
  if (state.disabled.has(id)) return refuse('DISABLED', `Module '${id}' is disabled. Enable it first.`)
  if (!offersApi(module.api)) {
    return refuse(
      'API_MISMATCH',
      `Module '${id}' needs module interface ${module.api}, this is ${hostApi}. Update Enigma or take an older '${id}'.`,
    )
  }
  if (module.runtime !== 'inproc') {
    const fix = "Set 'runtime: inproc'."
    return refuse(
      'RUNTIME_UNSUPPORTED',
      `Module '${id}' asks for runtime '${module.runtime}', which is not supported yet. ${fix}`,
    )
  }
  if (state.localOnly && isCloud(module, state.configs?.get(id))) {
    const fix = 'Open the manager with { localOnly: false }.'
    return refuse(
      'CLOUD_REFUSED',
      `Module requires external cloud services. Disable local_only mode to use cloud modules. ${fix}`,
    )
  }

  const { resources } = module
  if (resources.gpu === 'required' && !state.capacity.gpu) {
    return refuse(
      'NO_GPU',
      'Module requires GPU but none available. Use a machine with a GPU, or a module that runs without one.',
    )
  }
  if (resources.gpu !== 'preferred' && resources.vram > 0) {
    const free = Math.max(0, state.capacity.vram - taken.vram)
    if (resources.vram > free) {
      const fix = 'Unload a module that holds VRAM, or take a smaller model.'
      return refuse('NO_VRAM', `Module requires ${toMB(resources.vram)}MB VRAM, only ${toMB(free)}MB available. ${fix}`)
    }
  }
  const free = Math.max(0, state.capacity.ram - taken.ram)
  if (resources.ram > free) {
    const fix = 'Unload a module that holds RAM, or take a smaller model.'
    return refuse('NO_RAM', `Module requires ${toMB(resources.ram)}MB RAM, only ${toMB(free)}MB available. ${fix}`)
  }

  for (const other of state.catalogue.conflictsOf(id)) {
    if (state.loaded.has(other))
      return refuse('CONFLICT', `Module conflicts with loaded module '${other}'. Unload '${other}' first.`, other)
    if (chosen.has(other)) return refuse('CONFLICT', `Module conflicts with module '${other}', which is needed too.`, other)
  }
  for (const provision of module.provides) {
    for (const set of [state.loaded, chosen]) {
      for (const other of set.providers(provision.capability)) {
        if (other.id === id) continue
        const theirs = other.provides.find(({ capability }) => capability === provision.capability)
        if (provision.cardinality === 'shared' && theirs?.cardinality === 'shared') continue
        const fix = set === state.loaded ? 'Unload it first.' : 'Only one of them can be loaded.'
        return refuse(
          'CAPABILITY_TAKEN',
          `Capability '${provision.capability}' already provided by '${other.id}'. ${fix}`,
          other.id,
        )
      }
    }
  }
  return undefined
}

/** Whether a module would reach beyond this machine with this config (missing keys take the schema's defaults). */
function isCloud(module: Manifest, config: Readonly<Record<string, unknown>> | undefined): boolean {
  if (typeof module.cloud === 'boolean') return module.cloud
  const key = module.cloud.unlessLoopback
  const properties = (module.config?.properties ?? {}) as Record<string, { default?: unknown } | undefined>
  const url = config?.[key] ?? properties[key]?.default
  return typeof url !== 'string' || !isLoopback(url)
}

function isLoopback(url: string): boolean {
  if (!URL.canParse(url)) return false
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '')
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)
}

// A floor, not a ceiling: same major, and our minor is at least theirs.
function offersApi(api: string): boolean {
  if (api === hostApi) return true
  return semver.satisfies(`${hostApi}.0`, `>=${api}.0 <${Number(api.split('.')[0]) + 1}.0.0-0`)
}
