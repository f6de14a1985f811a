import type { GarbageReport } from '@enigma/contracts'

/** Items shown; the sums count all. */
const shown = 100

/** A report for people: sizes, rules and paths, then the sums. */
export function reportText({ items, files, bytes, problems }: GarbageReport, verb: string): string {
  const more = items.length - shown
  return [
    ...items.slice(0, shown).map(({ rule, path, bytes: size }) => `${sizeText(size).padStart(9)}  ${rule.padEnd(22)}  ${path}`),
    ...(more > 0 ? [`… and ${more} more`] : []),
    ...problems,
    `${files} files, ${sizeText(bytes)} ${verb}`,
  ].join('\n')
}

function sizeText(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB']
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10))
  return `${Math.round((bytes / 2 ** (10 * power)) * 10) / 10} ${units[power]}`
}
