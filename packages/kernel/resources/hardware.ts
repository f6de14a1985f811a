import { statfsSync } from 'node:fs'
import { arch, availableParallelism, freemem, platform, tmpdir, totalmem } from 'node:os'
import { toMB } from '../units.js'
import { ControlGroup } from './control-group.js'
import { findGpus, type Gpu, refreshGpus } from './gpus.js'
import { MacMemory } from './mac-memory.js'
import { readText } from './read-text.js'

// What the machine offers. Control groups (containers) count before the machine itself.

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
  const found = overrides.gpus ? undefined : await findGpus()
  return new Hardware(overrides, found?.gpus ?? overrides.gpus ?? [], overrides.unifiedMemory ?? found?.unified ?? false)
}

// Asking a driver takes tens of milliseconds; what it said is good for this long.
const gpuFreshMs = 2_000

/** A detected machine; `profile` reads what changes (free memory) anew. */
export class Hardware {
  readonly #given: HardwareOverrides
  #found: ControlGroup | undefined
  readonly #mac = new MacMemory()
  readonly unifiedMemory: boolean
  #gpus: readonly Gpu[]
  #looked = performance.now()

  constructor(given: HardwareOverrides, gpus: readonly Gpu[], unifiedMemory: boolean) {
    this.#given = given
    this.#gpus = gpus
    this.unifiedMemory = unifiedMemory
  }

  // Finding it means reading a dozen files: for whoever asks for memory.
  get #group(): ControlGroup {
    return (this.#found ??= new ControlGroup(readText, totalmem()))
  }

  /** In the order of their drivers' numbers; free memory as of the last `refresh`. */
  get gpus(): readonly Gpu[] {
    return this.#gpus
  }

  /** Asks the drivers for free memory, where there is a GPU that was not given. */
  async refresh(): Promise<void> {
    if (this.#gpus.length === 0 || this.#given.gpus || performance.now() - this.#looked < gpuFreshMs) return
    this.#looked = performance.now()
    this.#gpus = await refreshGpus(this.#gpus)
  }

  get ramTotal(): number {
    return this.#given.ramTotal ?? this.#group.memoryLimit ?? totalmem()
  }

  get ramFree(): number {
    if (this.#given.ramFree !== undefined) return this.#given.ramFree
    // A reservation ("behave as if there were 2 GB") also caps what counts as free.
    const machine = (platform() === 'darwin' ? this.#mac.available : availableOnLinux()) ?? freemem()
    return Math.min(machine, this.#group.memoryFree ?? machine, this.ramTotal)
  }

  get hasGpu(): boolean {
    return this.#gpus.length > 0
  }

  get profile(): HardwareProfile {
    const cpuCores = this.#given.cpuCores ?? Math.min(availableParallelism(), this.#group.cpus ?? Number.POSITIVE_INFINITY)
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
      vram_mb: toMB(this.unifiedMemory ? this.ramTotal : Math.max(0, ...this.#gpus.map(({ vramTotal }) => vramTotal))),
      mps_available: this.#gpus.some((gpu) => gpu.api === 'metal'),
    }
  }
}

// MemAvailable counts reclaimable caches as free, which `free` does not.
function availableOnLinux(): number | undefined {
  const match = /^MemAvailable:\s+(\d+) kB/m.exec(readText('/proc/meminfo') ?? '')
  return match ? Number(match[1]) * 1024 : undefined
}

function diskFree(): number {
  try {
    const { bavail, bsize } = statfsSync(tmpdir())
    return bavail * bsize
  } catch {
    return 0
  }
}
