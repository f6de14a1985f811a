const units = ['B', 'KB', 'MB', 'GB', 'TB'] as const

/** Bytes for people: `1.5 GB`. Powers of 1024. */
export function bytes(count: number): string {
  const power = count < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(count) / 10))
  const value = count / 1024 ** power
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[power]}`
}

/** Of a day, to the second. */
export const clock = (time: number): string => new Date(time).toLocaleTimeString(undefined, { hour12: false })
