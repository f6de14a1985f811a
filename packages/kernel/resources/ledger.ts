import { ModuleError } from '../errors.js'
import type { Capacity } from '../resolver/admission.js'
import { toMB } from '../units.js'
import type { Hardware } from './hardware.js'
import { levelAt, Pool, type PressureLevel } from './pool.js'

// Who holds how much memory. Two modules that fit one by one need not fit together, so what is promised counts as gone.
// A module that neither reserves nor reports is not in here at all.

/** Bytes. */
export interface Amounts {
  readonly ram: number
  readonly vram: number
}

/** Where a module's GPU memory comes from: `auto` takes the GPU with the most free, `cpu` none. */
export type Device = 'auto' | 'cpu' | `gpu:${number}`

/** What a module asks for. */
export interface Claim extends Amounts {
  readonly device?: Device
}

export interface LedgerEntry extends Amounts {
  readonly module: string
  /** Whether the module has taken what it reserved: then live free memory shows it already. */
  readonly used: boolean
}

/** A pool's state, as it is now. Sizes in bytes. */
export interface PoolReport {
  /** `ram`, `gpu:0`, …, or `unified`. */
  readonly name: string
  readonly total: number
  /** Live free memory. */
  readonly free: number
  /** Held by modules. */
  readonly held: number
  /** What a new module may take. */
  readonly available: number
  /** In use, 0 to 1: by the modules' word or by the machine's, whichever is more. */
  readonly share: number
  readonly level: PressureLevel
}

/** A change of a module's amounts to what it says it holds. */
interface Reconciled {
  readonly module: string
  readonly before: Amounts
  readonly after: Amounts
}

interface Entry {
  /** As the manifest or `estimate` has it. */
  reserved: Amounts
  /** As `usage` has it. */
  reported: Amounts | undefined
  device: Device
  /** Where `vram` counts; undefined without any. */
  gpu: Pool | undefined
  used: boolean
}

const nothing: Amounts = { ram: 0, vram: 0 }

export class ResourceLedger {
  readonly #ram: Pool
  readonly #gpus: readonly Pool[]
  readonly #unified: boolean
  readonly #hasGpu: boolean
  readonly #entries = new Map<string, Entry>()
  /** Grows with each change. */
  changes = 0

  constructor(hardware: Hardware) {
    this.#unified = hardware.unifiedMemory
    this.#hasGpu = hardware.hasGpu
    this.#ram = new Pool(
      this.#unified ? 'unified' : 'ram',
      () => hardware.ramTotal,
      () => hardware.ramFree,
    )
    // One pool for both kinds where they share their memory: what one takes, the other loses.
    this.#gpus = this.#unified
      ? hardware.gpus.map(() => this.#ram)
      : hardware.gpus.map(
          (_, i) =>
            new Pool(
              `gpu:${i}`,
              () => hardware.gpus[i]!.vramTotal,
              () => hardware.gpus[i]!.vramFree,
            ),
        )
  }

  /** Free for new modules; of several GPUs, the one with the most. */
  get capacity(): Capacity {
    const pool = this.#ram
    let read: number | undefined
    const main = {
      gpu: this.#hasGpu,
      // Free memory stands in files: read when somebody asks, and once.
      get ram() {
        return (read ??= pool.available)
      },
    }
    if (this.#unified) return Object.assign(main, { vram: this.#hasGpu ? main.ram : 0, unified: true })
    const gpus = this.#gpus.map(({ available }) => available)
    const all = Object.assign(main, { vram: Math.max(0, ...gpus) })
    return gpus.length > 0 ? Object.assign(all, { gpus }) : all
  }

  /** Free GPU memory for a new module that is bound to a device. */
  freeOn(device: Device): number {
    if (device === 'auto') return this.capacity.vram
    return this.#gpus[Number(device.slice('gpu:'.length))]?.available ?? 0
  }

  /**
   * Sets what a module asks for, replacing an earlier reservation.
   * @throws ModuleError `NO_RAM`, `NO_VRAM`, `NO_GPU` when it does not fit, `BAD_AMOUNT` when it is no amount; the earlier
   * reservation stays then
   */
  reserve(module: string, claim: Claim): void {
    const before = this.#entries.get(module)
    if (claim.ram === 0 && claim.vram === 0 && before === undefined) return
    const device = claim.device ?? before?.device ?? 'auto'
    if (!isDevice(device)) {
      const message = `Module '${module}' asks for the device ${String(device)}. Give auto, cpu, gpu:0, gpu:1, …`
      throw new ModuleError('BAD_AMOUNT', message, { module })
    }
    const reserved = { ram: checked(module, 'ram', claim.ram), vram: device === 'cpu' ? 0 : checked(module, 'vram', claim.vram) }
    this.release(module)
    try {
      const gpu = reserved.vram === 0 ? undefined : this.#place(module, reserved.vram, device)
      // In one pool, both must fit together.
      const ram = reserved.ram + (gpu === this.#ram ? reserved.vram : 0)
      if (ram > this.#ram.available) throw lacking(module, 'RAM', ram, this.#ram.available)
      this.#enter(module, { reserved, reported: undefined, device, gpu, used: before?.used ?? false })
    } catch (error) {
      if (before) this.#enter(module, before)
      throw error
    }
  }

  /** As `reserve`, for what a module held a moment ago: it is its due, also where others have taken memory meanwhile. */
  giveBack(module: string, claim: Claim): void {
    try {
      this.reserve(module, claim)
    } catch {
      const { ram, vram, device = 'auto' } = claim
      this.#enter(module, {
        reserved: { ram, vram },
        reported: undefined,
        device,
        gpu: vram === 0 ? undefined : this.#most(),
        used: false,
      })
    }
  }

  /** The module has taken its memory: live free memory shows it from here on. */
  markUsed(module: string): void {
    const entry = this.#entries.get(module)
    if (entry === undefined || entry.used) return
    this.#count(entry, -1)
    entry.used = true
    this.#count(entry, 1)
  }

  release(module: string): void {
    const entry = this.#entries.get(module)
    if (entry === undefined) return
    this.#entries.delete(module)
    this.#count(entry, -1)
  }

  /**
   * What the module says it holds takes the place of what it reserved, also where that is more than there is: it has it already.
   * Amounts that are none (negative, NaN, left out) leave the reserved ones. Returns the change, if it is one of a mebibyte or more.
   */
  reconcile(module: string, usage: Partial<Amounts> | undefined): Reconciled | undefined {
    const entry = this.#entries.get(module)
    const before = entry ? heldBy(entry) : nothing
    const after = {
      ram: isAmount(usage?.ram) ? Math.ceil(usage.ram) : before.ram,
      vram: isAmount(usage?.vram) && this.#hasGpu ? Math.ceil(usage.vram) : before.vram,
    }
    if (after.ram === before.ram && after.vram === before.vram) return undefined
    const gpu = after.vram === 0 ? entry?.gpu : (entry?.gpu ?? this.#most())
    this.release(module)
    this.#enter(module, {
      reserved: entry?.reserved ?? nothing,
      reported: after,
      device: entry?.device ?? 'auto',
      gpu,
      used: true,
    })
    const changed = Math.max(Math.abs(after.ram - before.ram), Math.abs(after.vram - before.vram))
    return changed < 2 ** 20 ? undefined : { module, before, after }
  }

  /** What a module reserved, and its device if it is bound to one. */
  of(module: string): Claim {
    const entry = this.#entries.get(module)
    if (entry === undefined) return nothing
    return entry.device === 'auto' ? entry.reserved : { ...entry.reserved, device: entry.device }
  }

  /** What counts for a module: reported, or else reserved. */
  heldBy(module: string): Amounts {
    const entry = this.#entries.get(module)
    return entry ? heldBy(entry) : nothing
  }

  /** What the module reported last. */
  reportedBy(module: string): Amounts | undefined {
    return this.#entries.get(module)?.reported
  }

  /** The GPU a module's memory is on: `gpu:1`, or `unified`. */
  deviceOf(module: string): string | undefined {
    return this.#entries.get(module)?.gpu?.name
  }

  list(): LedgerEntry[] {
    return [...this.#entries].map(([module, entry]) => ({ module, ...heldBy(entry), used: entry.used }))
  }

  pools(): PoolReport[] {
    return this.#pools.map((pool) => {
      const { name, held, available, share } = pool
      return { name, total: pool.readTotal(), free: pool.readFree(), held, available, share, level: levelAt(share, pool.level) }
    })
  }

  /** Looks at the pressure anew; the pools whose level is another than at the last look. */
  pressure(): PoolReport[] {
    const pools = this.pools()
    return pools.filter(({ level }, i) => {
      const pool = this.#pools[i]!
      if (pool.level === level) return false
      pool.level = level
      return true
    })
  }

  get #pools(): readonly Pool[] {
    return this.#unified ? [this.#ram] : [this.#ram, ...this.#gpus]
  }

  #most(): Pool | undefined {
    return this.#gpus.reduce<Pool | undefined>(
      (best, pool) => (best === undefined || pool.available > best.available ? pool : best),
      undefined,
    )
  }

  #place(module: string, vram: number, device: Device): Pool {
    const pool = device === 'auto' ? this.#most() : this.#gpus[Number(device.slice('gpu:'.length))]
    if (pool === undefined) {
      const there =
        this.#gpus.length === 0 ? 'this machine has none' : `this machine has ${this.#gpus.map((_, i) => `gpu:${i}`).join(', ')}`
      const asked = device === 'auto' ? 'a GPU' : device
      throw new ModuleError(
        'NO_GPU',
        `Module requires ${asked}, but ${there}. Take another device, or a module that runs without one.`,
        {
          module,
        },
      )
    }
    if (vram > pool.available) throw lacking(module, 'VRAM', vram, pool.available)
    return pool
  }

  #enter(module: string, entry: Entry): void {
    this.#entries.set(module, entry)
    this.#count(entry, 1)
  }

  #count(entry: Entry, sign: 1 | -1): void {
    const { ram, vram } = heldBy(entry)
    this.changes++
    this.#ram.take(sign * ram, !entry.used)
    entry.gpu?.take(sign * vram, !entry.used)
  }
}

function heldBy(entry: Entry): Amounts {
  return entry.reported ?? entry.reserved
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}

function isDevice(value: unknown): value is Device {
  return typeof value === 'string' && /^(auto|cpu|gpu:\d+)$/.test(value)
}

// Whole bytes: sums of them are exact.
function checked(module: string, key: string, value: unknown): number {
  if (isAmount(value)) return Math.ceil(value)
  const message = `Module '${module}' asks for ${key}: ${String(value)}. Give a number of bytes, 0 or more.`
  throw new ModuleError('BAD_AMOUNT', message, { module })
}

function lacking(module: string, kind: 'RAM' | 'VRAM', wanted: number, free: number): ModuleError {
  const message = `Module requires ${toMB(wanted)}MB ${kind}, only ${toMB(free)}MB available. Unload a module that holds ${kind}.`
  return new ModuleError(`NO_${kind}`, message, { module })
}
