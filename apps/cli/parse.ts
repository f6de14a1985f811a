import { InvalidArgumentError } from 'commander'
import type { Parser } from './command.js'

// Readers of option values.

/** A whole number of at least `min` (default 0). */
export function whole(min = 0): Parser {
  return (text) => {
    const value = Number(text)
    if (/^[+-]?\d+$/.test(text.trim()) && Number.isSafeInteger(value) && value >= min) return value
    throw new InvalidArgumentError(`It must be a whole number of at least ${min}.`)
  }
}

/** A number between `min` and `max`. */
export function number(min: number, max = Number.POSITIVE_INFINITY): Parser {
  return (text) => {
    const value = Number(text)
    if (text.trim() !== '' && value >= min && value <= max && Number.isFinite(value)) return value
    throw new InvalidArgumentError(
      max === Number.POSITIVE_INFINITY ? `It must be a number of at least ${min}.` : `It must be a number from ${min} to ${max}.`,
    )
  }
}

/** A JSON object. */
export const jsonObject: Parser = (text) => {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  } catch {
    // Said below: what is wrong is the same either way.
  }
  throw new InvalidArgumentError(`It must be a JSON object, such as '{"size":"tiny"}'.`)
}
