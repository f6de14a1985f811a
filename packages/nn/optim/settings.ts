import { NnError } from '../errors.js'

/** Intervals that settings lie in. */
const rules = {
  /** [0, ∞) */
  positive: { holds: (value: number) => value >= 0 && value < Number.POSITIVE_INFINITY, says: 'at least 0' },
  /** (0, ∞] */
  limit: { holds: (value: number) => value > 0, says: 'more than 0' },
  /** [0, 1) */
  share: { holds: (value: number) => value >= 0 && value < 1, says: 'at least 0 and less than 1' },
} as const

/** @throws NnError INVALID_ARGUMENT naming the first setting outside its interval */
export function checkSettings(
  kind: string,
  settings: Readonly<Partial<Record<keyof typeof rules, Readonly<Record<string, number>>>>>,
): void {
  for (const [rule, values] of Object.entries(settings))
    for (const [name, value] of Object.entries(values)) {
      const { holds, says } = rules[rule as keyof typeof rules]
      if (!holds(value)) throw new NnError('INVALID_ARGUMENT', `${kind}: ${name} must be ${says}, got ${value}.`)
    }
}
