import { existsSync, readFileSync, statfsSync } from 'node:fs'
import { arch, availableParallelism, freemem, platform, tmpdir, totalmem } from 'node:os'
import { toMB } from '../units.js'

// What the machine offers. Control groups (containers) count before the machine itself.

/** A graphics processor. Sizes in bytes; 0 where the driver does not say. */
export interface Gpu {
  readonly name: string
  readonly vramTotal: number
  readonly vramFree: number
  readonly api: 'cuda' | 'metal' | 'vulkan' | 'unknown'
}

/** The machine; sizes in bytes. The names with `_` are those of the seed documents. */
export interface HardwareProfile {
  /** Cores this process may use. */
  readonly cpuCores: number
  readonly ramTotal: number
  /** Free at the time of asking. */
  readonly ramFree: number
  readonly gpus: readonly Gpu[]
  /** Whether GPU and CPU share one memory. */
  readonly unifiedMemory: boolean
  readonly diskFree: number
  readonly platform: string
  readonly arch: string
  readonly cpu_cores: number
  readonly ram_mb: number
  readonly gpu_available: boolean
  readonly gpu_name: string | null
  readonly vram_mb: number
  readonly mps_available: boolean
}

/** Fields to set instead of detecting them. A given `ramFree` or GPU is taken as it is, without looking at the machine. */
export type HardwareOverrides = Partial<
  Pick<HardwareProfile, 'cpuCores' | 'ramTotal' | 'ramFree' | 'gpus' | 'unifiedMemory' | 'diskFree' | 'platform' | 'arch'>
>

/** Detects the machine. GPUs are looked for through their drivers, and only where a device file says that there may be one. */
export async function detectHardware(overrides: HardwareOverrides = {}): Promise<Hardware> {
  const gpus = overrides.gpus ?? (await detectGpus())
  const apple = platform() === 'darwin' && arch() === 'arm64'
  return new Hardware({ ...overrides, gpus, unifiedMemory: overrides.unifiedMemory ?? (apple && gpus.length > 0) })
}

/** A detected machine; `profile` reads what changes (free memory) anew. */
export class Hardware {
  readonly #given: HardwareOverrides
  readonly #gpus: readonly Gpu[]
  readonly #limit: number | undefined

  constructor(given: HardwareOverrides) {
    this.#given = given
    this.#gpus = given.gpus ?? []
    this.#limit = readGroupLimit()?.limit
  }

  get ramTotal(): number {
    return this.#given.ramTotal ?? Math.min(totalmem(), this.#limit ?? Number.POSITIVE_INFINITY)
  }

  get ramFree(): number {
    if (this.#given.ramFree !== undefined) return this.#given.ramFree
    // A reservation ("behave as if there were 2 GB") also caps what counts as free.
    return Math.min(liveFree(), this.ramTotal)
  }

  get vramTotal(): number {
    return this.unifiedMemory ? this.ramTotal : this.#gpus.reduce((sum, gpu) => Math.max(sum, gpu.vramTotal), 0)
  }

  get vramFree(): number {
    return this.unifiedMemory ? this.ramFree : this.#gpus.reduce((sum, gpu) => Math.max(sum, gpu.vramFree), 0)
  }

  get unifiedMemory(): boolean {
    return this.#given.unifiedMemory ?? false
  }

  get hasGpu(): boolean {
    return this.#gpus.length > 0
  }

  get profile(): HardwareProfile {
    const cpuCores = this.#given.cpuCores ?? Math.min(availableParallelism(), groupCores() ?? Number.POSITIVE_INFINITY)
    return {
      cpuCores,
      ramTotal: this.ramTotal,
      ramFree: this.ramFree,
      gpus: this.#gpus,
      unifiedMemory: this.unifiedMemory,
      diskFree: this.#given.diskFree ?? diskFree(),
      platform: this.#given.platform ?? platform(),
      arch: this.#given.arch ?? arch(),
      cpu_cores: cpuCores,
      ram_mb: toMB(this.ramTotal),
      gpu_available: this.hasGpu,
      gpu_name: this.#gpus[0]?.name ?? null,
      vram_mb: toMB(this.vramTotal),
      mps_available: this.#gpus.some((gpu) => gpu.api === 'metal'),
    }
  }
}

async function detectGpus(): Promise<Gpu[]> {
  if (!mayHaveGpu()) return []
  // Imported here: it is large, and most machines without a GPU never need it.
  const { default: si } = await import('systeminformation')
  const { controllers } = await si.graphics()
  return controllers
    .filter((controller) => (controller.memoryTotal ?? controller.vram ?? 0) > 0 || /apple/i.test(controller.vendor))
    .map((controller) => {
      const total = (controller.memoryTotal ?? controller.vram ?? 0) * 2 ** 20
      const free = controller.memoryFree === undefined ? total : controller.memoryFree * 2 ** 20
      const name = controller.name ?? controller.model
      const api = /nvidia/i.test(`${controller.vendor} ${name}`) ? 'cuda' : /apple/i.test(controller.vendor) ? 'metal' : 'unknown'
      return { name, vramTotal: total, vramFree: free, api }
    })
}

function mayHaveGpu(): boolean {
  if (platform() !== 'linux') return true
  return existsSync('/dev/kfd') || existsSync('/dev/nvidiactl') || existsSync('/dev/dri') || existsSync('/dev/dxg')
}

function liveFree(): number {
  const group = readGroupLimit()
  const machine = availableOnLinux() ?? freemem()
  return group === undefined ? machine : Math.min(machine, Math.max(0, group.limit - group.used))
}

// MemAvailable counts reclaimable caches as free, which `free` does not.
function availableOnLinux(): number | undefined {
  const match = /^MemAvailable:\s+(\d+) kB/m.exec(readText('/proc/meminfo') ?? '')
  return match ? Number(match[1]) * 1024 : undefined
}

function readGroupLimit(): { limit: number; used: number } | undefined {
  const files = [
    ['/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/memory.current', '/sys/fs/cgroup/memory.stat'],
    [
      '/sys/fs/cgroup/memory/memory.limit_in_bytes',
      '/sys/fs/cgroup/memory/memory.usage_in_bytes',
      '/sys/fs/cgroup/memory/memory.stat',
    ],
  ] as const
  for (const [max, current, stat] of files) {
    const limit = Number(readText(max))
    // Version 1 writes a number near 2^63 for "no limit", version 2 the word "max".
    if (!Number.isFinite(limit) || limit <= 0 || limit > totalmem()) continue
    const cache = Number(/^(?:total_)?inactive_file (\d+)/m.exec(readText(stat) ?? '')?.[1] ?? 0)
    return { limit, used: Math.max(0, Number(readText(current) ?? 0) - cache) }
  }
  return undefined
}

function groupCores(): number | undefined {
  const [quota, period] = (readText('/sys/fs/cgroup/cpu.max') ?? '').split(' ').map(Number)
  if (quota && period) return Math.max(1, Math.floor(quota / period))
  const old = Number(readText('/sys/fs/cgroup/cpu/cpu.cfs_quota_us'))
  const oldPeriod = Number(readText('/sys/fs/cgroup/cpu/cpu.cfs_period_us'))
  return old > 0 && oldPeriod > 0 ? Math.max(1, Math.floor(old / oldPeriod)) : undefined
}

function diskFree(): number {
  try {
    const { bavail, bsize } = statfsSync(tmpdir())
    return bavail * bsize
  } catch {
    return 0
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim() || undefined
  } catch {
    return undefined
  }
}
