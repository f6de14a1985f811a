import { ModuleError } from '../errors.js'
import type { Capacity } from '../resolver/admission.js'
import { toMB } from '../units.js'
import type { Hardware } from './hardware.js'

// Who holds how much memory. Two modules that fit one by one need not fit together, so what is promised counts as gone.

/** Bytes. */
export interface Amounts {
  readonly ram: number
  readonly vram: number
}

export interface LedgerEntry extends Amounts {
  readonly module: string
  /** Whether the module has taken what it reserved: then live free memory shows it already. */
  readonly used: boolean
}

/** Share of the machine's memory kept for everything else. */
const headroom = 0.05

export class ResourceLedger {
  readonly #hardware: Hardware
  readonly #entries = new Map<string, Amounts & { used: boolean }>()
  #reserved = { ram: 0, vram: 0 }
  #unused = { ram: 0, vram: 0 }

  constructor(hardware: Hardware) {
    this.#hardware = hardware
  }

  /** Free for new modules: the smaller of (total − headroom − reserved) and (live free − reserved but not yet taken). */
  get capacity(): Capacity {
    const { ramTotal, ramFree, vramTotal, vramFree, unifiedMemory, hasGpu } = this.#hardware
    if (unifiedMemory) {
      // One pool: what one kind of memory takes, the other kind loses.
      const reserved = this.#reserved.ram + this.#reserved.vram
      const unused = this.#unused.ram + this.#unused.vram
      const free = Math.max(0, Math.min(ramTotal * (1 - headroom) - reserved, ramFree - unused))
      return { ram: free, vram: hasGpu ? free : 0, gpu: hasGpu }
    }
    const ram = Math.min(ramTotal * (1 - headroom) - this.#reserved.ram, ramFree - this.#unused.ram)
    const vram = Math.min(vramTotal - this.#reserved.vram, vramFree - this.#unused.vram)
    return { ram: Math.max(0, ram), vram: Math.max(0, vram), gpu: hasGpu }
  }

  /**
   * Sets what a module holds, replacing an earlier reservation.
   * @throws ModuleError `NO_RAM` or `NO_VRAM` when it does not fit; the earlier reservation stays then
   */
  reserve(module: string, amounts: Amounts): void {
    if (amounts.ram === 0 && amounts.vram === 0 && !this.#entries.has(module)) return
    const before = this.#entries.get(module)
    this.release(module)
    const { ram, vram } = this.capacity
    for (const [kind, wanted, free] of [
      ['RAM', amounts.ram, ram],
      ['VRAM', amounts.vram, vram],
    ] as const) {
      if (wanted <= free) continue
      if (before) this.#enter(module, before)
      const message = `Module requires ${toMB(wanted)}MB ${kind}, only ${toMB(free)}MB available. Unload a module that holds ${kind}.`
      throw new ModuleError(`NO_${kind}`, message, { module })
    }
    this.#enter(module, { ...amounts, used: before?.used ?? false })
  }

  /** The module has taken its memory: live free memory shows it from here on. */
  markUsed(module: string): void {
    const entry = this.#entries.get(module)
    if (entry === undefined || entry.used) return
    entry.used = true
    this.#unused.ram -= entry.ram
    this.#unused.vram -= entry.vram
  }

  release(module: string): void {
    const entry = this.#entries.get(module)
    if (entry === undefined) return
    this.#entries.delete(module)
    this.#reserved.ram -= entry.ram
    this.#reserved.vram -= entry.vram
    if (entry.used) return
    this.#unused.ram -= entry.ram
    this.#unused.vram -= entry.vram
  }

  /** What a module holds. */
  of(module: string): Amounts {
    const { ram, vram } = this.#entries.get(module) ?? { ram: 0, vram: 0 }
    return { ram, vram }
  }

  list(): LedgerEntry[] {
    return [...this.#entries].map(([module, entry]) => ({ module, ...entry }))
  }

  #enter(module: string, entry: Amounts & { used: boolean }): void {
    this.#entries.set(module, { ...entry })
    this.#reserved.ram += entry.ram
    this.#reserved.vram += entry.vram
    if (entry.used) return
    this.#unused.ram += entry.ram
    this.#unused.vram += entry.vram
  }
}
