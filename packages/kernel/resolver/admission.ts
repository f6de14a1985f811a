import type { ModuleErrorCode } from '../errors.js'
import { hostApi, type Manifest } from '../manifest/manifest.js'
import { semver } from '../on-demand.js'
import { toMB } from '../units.js'
import type { Catalogue, LoadedSet } from './catalogue.js'
import type { BarrierKind } from './constraint.js'

// May this module be loaded on this machine, whatever else is? The order of the checks is the seed documents' `can_load`.

/** What is free for new modules, in bytes. */
export interface Capacity {
  readonly ram: number
  readonly vram: number
  /** Whether there is a GPU at all. */
  readonly gpu: boolean
  /** RAM and VRAM are one pool of `ram` bytes: what one kind takes, the other loses. */
  readonly unified?: boolean
  /** Free memory of each GPU, by its number; `vram` is that of the one with the most. */
  readonly gpus?: readonly number[]
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
  /** Modules that are being replaced. */
  readonly leaving?: ReadonlySet<string>
  /** Modules that crashed too often. */
  readonly quarantine?: {
    readonly size: number
    get(id: string): { readonly reason: string; readonly since: string } | undefined
  }
}

/** Whether a module may not be loaded, for one reason. */
export type BarrierCheck = (module: Manifest, state: AdmissionState) => boolean

interface Barrier {
  readonly code: ModuleErrorCode
  readonly stands: BarrierCheck
  /** Whether it can stand for any module in this state; left out: always. */
  readonly possible?: (state: AdmissionState) => boolean
  /** The cause, then what to do. */
  readonly reason: (module: Manifest, state: AdmissionState) => string
}

export const barriers: Readonly<Record<BarrierKind, Barrier>> = {
  unavailable: {
    code: 'STUCK',
    possible: ({ unavailable }) => unavailable !== undefined && unavailable.size > 0,
    stands: ({ id }, { unavailable }) => unavailable?.has(id) === true,
    reason: ({ id }, { unavailable }) => unavailable!.get(id)!,
  },
  leaving: {
    code: 'CONFLICT',
    possible: ({ leaving }) => leaving !== undefined,
    stands: ({ id }, { leaving }) => leaving?.has(id) === true,
    reason: ({ id }) => `Module '${id}' is the one to be replaced.`,
  },
  quarantine: {
    code: 'QUARANTINED',
    possible: ({ quarantine }) => quarantine !== undefined && quarantine.size > 0,
    stands: ({ id }, { quarantine }) => quarantine?.get(id) !== undefined,
    reason: ({ id }, { quarantine }) => {
      const { since, reason } = quarantine!.get(id)!
      return `Module '${id}' is in quarantine since ${since}. ${reason} Find the cause, then reset it: await manager.reset('${id}')`
    },
  },
  disabled: {
    code: 'DISABLED',
    possible: ({ disabled }) => disabled.size > 0,
    stands: ({ id }, { disabled }) => disabled.has(id),
    reason: ({ id }) => `Module '${id}' is disabled. Enable it first.`,
  },
  api: {
    code: 'API_MISMATCH',
    stands: ({ api }) => !offersApi(api),
    reason: ({ id, api }) =>
      `Module '${id}' needs module interface ${api}, this is ${hostApi}. Update Enigma or take an older '${id}'.`,
  },
  cloud: {
    code: 'CLOUD_REFUSED',
    possible: ({ localOnly }) => localOnly,
    stands: (module, { localOnly, configs }) => localOnly && isCloud(module, configs?.get(module.id)),
    reason: () =>
      'Module requires external cloud services. Disable local_only mode to use cloud modules. Open the manager with { localOnly: false }.',
  },
  gpu: {
    code: 'NO_GPU',
    possible: ({ capacity }) => !capacity.gpu,
    stands: ({ resources }, { capacity }) => resources.gpu === 'required' && !capacity.gpu,
    reason: () => 'Module requires GPU but none available. Use a machine with a GPU, or a module that runs without one.',
  },
  device: {
    code: 'NO_VRAM',
    possible: ({ capacity }) => capacity.gpus !== undefined,
    stands: (module, { capacity }) => requiredVram(module) > (deviceFree(module, capacity) ?? Number.POSITIVE_INFINITY),
    reason: (module, { capacity }) => {
      const [wanted, free] = [module.resources.vram, deviceFree(module, capacity) ?? 0].map(toMB)
      return `Module requires ${wanted}MB VRAM on ${module.resources.device}, only ${free}MB available. Take another device.`
    },
  },
}

const inOrder = (Object.keys(barriers) as BarrierKind[]).map((kind) => ({ kind, stands: barriers[kind].stands }))

/** The first reason of its own why a module may not be loaded, among those that count. */
export function barrierOf(
  module: Manifest,
  state: AdmissionState,
  counts: (kind: BarrierKind, module: string) => boolean,
): BarrierKind | undefined {
  // By index: in code that runs once, an iterator costs more than the checks.
  for (let i = 0; i < inOrder.length; i++) {
    const { kind, stands } = inOrder[i]!
    if (stands(module, state) && counts(kind, module.id)) return kind
  }
  return undefined
}

/** The checks of the barriers that can stand in this state: where nothing is disabled, nobody need be asked whether it is. */
export function barriersIn(state: AdmissionState): BarrierCheck[] {
  return Object.values(barriers)
    .filter(({ possible }) => possible?.(state) ?? true)
    .map(({ stands }) => stands)
}

/** Free memory of the GPU that a module is bound to; undefined when it takes any, and where GPUs are not known one by one. */
function deviceFree({ resources: { device } }: Manifest, { gpus }: Capacity): number | undefined {
  return device.startsWith('gpu:') && gpus ? (gpus[Number(device.slice('gpu:'.length))] ?? 0) : undefined
}

/** VRAM a module cannot do without, in bytes. */
export function requiredVram({ resources: { gpu, vram, device } }: Manifest): number {
  return gpu === 'preferred' || device === 'cpu' ? 0 : vram
}

/** Whether a module would reach beyond this machine with this config (missing keys take the schema's defaults). */
function isCloud(module: Manifest, config: Readonly<Record<string, unknown>> | undefined): boolean {
  if (module.runtime === 'remote' && !isLoopback(module.entry)) return true
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
  return semver().satisfies(`${hostApi}.0`, `>=${api}.0 <${Number(api.split('.')[0]) + 1}.0.0-0`)
}
