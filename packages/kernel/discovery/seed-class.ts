import type { ModuleConfig } from '../config/config.js'
import type { ModuleDefinition } from '../define.js'
import { ModuleError } from '../errors.js'
import type { ModuleContext } from '../lifecycle/context.js'
import { canonical } from '../names.js'

// Module classes as the seed documents write them: `INFO` with load/unload/getInterface (Enigma), or `name`, `type`,
// `version` with initialize/start/stop/shutdown/getService (systemprompt-os). Both become ordinary modules.

/** An instance in one of the seed documents' forms. Snake-case spellings of the methods work too. */
export type SeedModule = object
/** A class of such instances; each load makes a new one. */
export type SeedModuleClass = new () => SeedModule

type Method = (...args: unknown[]) => unknown
type Bag = Record<string, unknown>

/** Gives a seed module its `manager.getInterface`, for the modules it declares only. */
export type InterfaceLookup = (id: string) => unknown

/** The manifest of a class or instance, in the words of `module.yaml`. */
export function seedManifest(given: SeedModule | SeedModuleClass): unknown {
  const info = (given as { INFO?: Bag }).INFO
  if (info !== undefined) return fromInfo(info)
  const instance = (typeof given === 'function' ? new (given as SeedModuleClass)() : given) as Bag
  if (typeof instance.INFO === 'object' && instance.INFO !== null) return fromInfo(instance.INFO as Bag)
  const { name, type, version, description, provides, requires, config } = instance
  if (typeof name !== 'string') {
    const fix = 'Give it a static INFO = { id, … }, or the fields name, type and version; or pass { manifest, module }.'
    throw new ModuleError('BAD_MODULE', `The module to register has neither INFO nor a name. ${fix}`)
  }
  return defined({ name, type: type ?? 'plugin', version: version ?? '1.0.0', description, provides, requires, config })
}

function fromInfo(info: Bag): unknown {
  const pick = (...keys: string[]) => keys.map((key) => info[key]).find((value) => value !== undefined)
  const ram = pick('minRamMb', 'min_ram_mb')
  const vram = pick('minVramMb', 'min_vram_mb')
  const gpu = pick('requiresGpu', 'requires_gpu')
  const cloud = pick('isCloudService', 'is_cloud_service', 'cloud')
  const category = info.category
  return defined({
    id: typeof info.id === 'string' ? canonical(info.id) : info.id,
    name: info.name,
    version: info.version ?? '1.0.0',
    description: info.description,
    kind: info.kind,
    category: typeof category === 'string' ? category.toLowerCase() : category,
    requires: info.requires,
    optional: info.optional,
    conflicts: info.conflicts,
    provides: info.provides,
    cloud,
    resources: defined({ ram: mb(ram), vram: mb(vram), gpu }),
    config: pick('config', 'configSchema', 'config_schema'),
  })
}

function mb(value: unknown): unknown {
  return typeof value === 'number' ? `${value}MB` : undefined
}

/** The code of a class or instance. */
export function seedDefinition(
  given: SeedModule | SeedModuleClass,
  capabilities: readonly string[],
  lookup: InterfaceLookup,
): ModuleDefinition {
  const instance = (typeof given === 'function' ? new (given as SeedModuleClass)() : given) as Bag
  const call = (...names: string[]) => {
    const method = names.map((name) => instance[name]).find((value) => typeof value === 'function') as Method | undefined
    return method && ((...args: unknown[]) => method.apply(instance, args))
  }
  const must = async (what: string, run: Method | undefined) => {
    if ((await run?.()) === false) throw new Error(`${what}() returned False`)
  }
  return {
    async load(ctx: ModuleContext) {
      if (!('manager' in instance) || instance.manager === undefined) {
        instance.manager = { getInterface: lookup, get_interface: lookup }
      }
      call('configure')?.(ctx.config satisfies ModuleConfig)
      const initialize = call('initialize')
      await (initialize ? must('initialize', initialize) : must('load', call('load')))
      const ask = call('getInterface', 'get_interface', 'getService', 'get_service')
      const api = ask ? await ask() : instance
      if (api !== undefined && api !== null) {
        for (const name of capabilities) ctx.provide({ name, version: '1.0' }, api)
      }
      return api
    },
    start: () => must('start', call('start', 'activate')),
    stop: () => must('stop', call('stop', 'deactivate')),
    unload: () => must('unload', call('shutdown', 'unload')),
    async health() {
      const answer = (await call('healthCheck', 'health_check', 'health')?.()) as
        | { healthy?: boolean; message?: string }
        | undefined
      if (answer?.healthy === undefined) return { status: 'unknown' }
      return {
        status: answer.healthy ? 'healthy' : 'unhealthy',
        ...(answer.message !== undefined && { message: answer.message }),
      }
    },
  }
}

/** Whether something is written in one of the seed documents' forms (and not as `defineModule`). */
export function isSeedModule(value: unknown): value is SeedModule | SeedModuleClass {
  if (typeof value === 'function') return /^class\b/.test(Function.prototype.toString.call(value))
  return (
    typeof value === 'object' &&
    value !== null &&
    ('INFO' in value || (typeof (value as Bag).name === 'string' && 'type' in value))
  )
}

function defined(record: Bag): Bag {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined))
}
