// Numbers for people.

const units = ['B', 'kB', 'MB', 'GB', 'TB']

/** `12.3 MB`: powers of 1000. */
export function bytes(value: number): string {
  let size = value
  let unit = 0
  while (size >= 999.5 && unit < units.length - 1) {
    size /= 1000
    unit++
  }
  return `${size >= 99.5 || unit === 0 ? Math.round(size) : size.toFixed(1)} ${units[unit]}`
}

/** `1,811,584`. */
export function count(value: number): string {
  return value.toLocaleString('en-US')
}

/** `45 s`, `3 min 20 s`, `2 h 5 min`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`
}

/** `[####        ]` */
export function bar(share: number, width = 8): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * width)
  return `[${'#'.repeat(full)}${' '.repeat(width - full)}]`
}
