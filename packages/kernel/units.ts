// Sizes in bytes and durations in milliseconds, as people write them in a manifest.

const sizes: Readonly<Record<string, number>> = { b: 1, kb: 2 ** 10, mb: 2 ** 20, gb: 2 ** 30, tb: 2 ** 40 }
const durations: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** `'2GB'`, `'512 MiB'` or a number of bytes → bytes (units are powers of 1024); undefined when it is no size. */
export function parseSize(value: string | number): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0 ? value : undefined
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)i?b$/i.exec(value.trim())
  return match ? Math.round(Number(match[1]) * sizes[`${match[2]!.toLowerCase()}b`]!) : undefined
}

/** `'30s'`, `'500ms'`, `'10m'` or a number of seconds → milliseconds; undefined when it is no duration. */
export function parseDuration(value: string | number): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0 ? value * 1000 : undefined
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h)$/.exec(value.trim())
  return match ? Number(match[1]) * durations[match[2]!]! : undefined
}

/** Bytes → whole mebibytes, the unit of the seed documents' sentences. */
export function toMB(bytes: number): number {
  return Math.floor(bytes / 2 ** 20)
}
