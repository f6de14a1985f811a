import type { ModuleRecord } from '../lifecycle/record.js'
import type { Amounts, PoolReport, ResourceLedger } from './ledger.js'

/** Memory of one module. Sizes in bytes. */
export interface ModuleResources {
  readonly id: string
  /** By its manifest or its `estimate`. */
  readonly reserved: Amounts
  /** By its `usage`, as last asked; undefined when it has none. */
  readonly reported: Amounts | undefined
  /** What counts against the pools: reported, or else reserved. */
  readonly held: Amounts
  /** The pool its GPU memory is in. */
  readonly device: string | undefined
}

/** Who holds how much of the machine. */
export interface ResourceReport {
  readonly pools: readonly PoolReport[]
  /** Modules that hold or report something, the largest first. */
  readonly modules: readonly ModuleResources[]
  readonly text: string
}

export function resourceReport(ledger: ResourceLedger, records: Iterable<ModuleRecord>): ResourceReport {
  const modules: ModuleResources[] = []
  for (const { id } of records) {
    const { ram, vram } = ledger.of(id)
    const reported = ledger.reportedBy(id)
    const held = ledger.heldBy(id)
    if (held.ram + held.vram + ram + vram === 0) continue
    modules.push({ id, reserved: { ram, vram }, reported, held, device: ledger.deviceOf(id) })
  }
  modules.sort((a, b) => sum(b.held) - sum(a.held) || (a.id < b.id ? -1 : 1))
  const pools = ledger.pools()
  return { pools, modules, text: [...table(poolRows(pools)), '', ...table(moduleRows(modules))].join('\n') }
}

function poolRows(pools: readonly PoolReport[]): string[][] {
  return [
    ['pool', 'total', 'free', 'held', 'available', 'in use', 'level'],
    ...pools.map(({ name, total, free, held, available, share, level }) => [
      name,
      ...[total, free, held, available].map(size),
      `${Math.round(share * 100)} %`,
      level,
    ]),
  ]
}

function moduleRows(modules: readonly ModuleResources[]): string[][] {
  if (modules.length === 0) return [['no module holds memory']]
  return [
    ['module', 'reserved', 'reported', 'held', 'device'],
    ...modules.map(({ id, reserved, reported, held, device }) => [
      id,
      both(reserved),
      both(reported),
      both(held),
      device ?? 'cpu',
    ]),
  ]
}

function both(amounts: Amounts | undefined): string {
  if (amounts === undefined) return '-'
  return amounts.vram === 0 ? size(amounts.ram) : `${size(amounts.ram)} + ${size(amounts.vram)} vram`
}

function size(bytes: number): string {
  const unit = bytes >= 2 ** 30 ? (['GB', 2 ** 30] as const) : (['MB', 2 ** 20] as const)
  return `${(bytes / unit[1]).toFixed(1)} ${unit[0]}`
}

function sum({ ram, vram }: Amounts): number {
  return ram + vram
}

// First column to the left, figures to the right.
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
      .join('  ')
      .trimEnd(),
  )
}
