import Table from 'cli-table3'
import type { createColors } from 'picocolors'

export type Cell = string | number

const borders = ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right']
const inner = ['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid']
const none = Object.fromEntries([...borders, ...inner].map((name) => [name, '']))

/** Columns without frames; numbers stand to the right. */
export function table(
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
  color: ReturnType<typeof createColors>,
): string {
  const colAligns = head.map((_, column) =>
    rows.length > 0 && rows.every((row) => typeof row[column] === 'number' || numeric(row[column])) ? 'right' : 'left',
  )
  const made = new Table({
    head: head.map((text) => color.bold(text)),
    chars: { ...none, middle: '  ' },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    colAligns: colAligns as ('left' | 'right')[],
  })
  made.push(...rows.map((row) => [...row]))
  return made
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}

function numeric(cell: Cell | undefined): boolean {
  return typeof cell === 'string' && /^[\d.,]+( [kMGT]?B)?$/.test(cell)
}
