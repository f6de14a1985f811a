// One kind of memory with one owner: the machine's, or one GPU's. Where they share one, there is one pool for both.

/** Share of the machine's memory kept for everything else. A GPU has no such share: its driver counts for itself. */
const ramHeadroom = 0.05

export const levels = ['normal', 'warning', 'critical'] as const
export type PressureLevel = (typeof levels)[number]

const thresholds = { warning: 0.75, critical: 0.9 } as const
// A level is left only this much below where it began, or a share that hovers there would report without end.
const hysteresis = 0.02

/** The level at a share of the pool in use, coming from `previous`. */
export function levelAt(share: number, previous: PressureLevel = 'normal'): PressureLevel {
  const from = (level: 'warning' | 'critical') =>
    thresholds[level] - (levels.indexOf(previous) >= levels.indexOf(level) ? hysteresis : 0)
  return share > from('critical') ? 'critical' : share > from('warning') ? 'warning' : 'normal'
}

/** Bytes promised in a pool. */
export class Pool {
  /** Held by modules: what they reported, or what they reserved. */
  held = 0
  /** The part of it that is not taken yet, so that live free memory does not show it. */
  pending = 0
  level: PressureLevel = 'normal'

  constructor(
    /** `ram`, `gpu:0`, …, or `unified`. */
    readonly name: string,
    readonly readTotal: () => number,
    readonly readFree: () => number,
  ) {}

  get isGpu(): boolean {
    return this.name.startsWith('gpu:')
  }

  /** For new modules: min(total − headroom − held, live free − pending). */
  get available(): number {
    const total = this.readTotal() * (this.isGpu ? 1 : 1 - ramHeadroom)
    return Math.max(0, Math.floor(Math.min(total - this.held, this.readFree() - this.pending)))
  }

  /** The share in use: by the modules' word or by the machine's, whichever is more. */
  get share(): number {
    const total = this.readTotal()
    return total === 0 ? 0 : Math.min(1, Math.max(this.held, total - this.readFree() + this.pending) / total)
  }

  take(bytes: number, pending: boolean): void {
    this.held += bytes
    if (pending) this.pending += bytes
  }
}
