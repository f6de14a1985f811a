import type { Parameter } from '../parameter.js'
import { Random } from './random.js'

export { Random }

/** Fills with N(0, std²). */
export function normal(parameter: Parameter, std: number, random: Random): void {
  for (let i = 0; i < parameter.data.length; i++) parameter.data[i] = std * random.normal()
}

/** Fills with U(-bound, bound). */
export function uniform(parameter: Parameter, bound: number, random: Random): void {
  for (let i = 0; i < parameter.data.length; i++) parameter.data[i] = bound * (2 * random.uniform() - 1)
}

export function constant(parameter: Parameter, value: number): void {
  parameter.data.fill(value)
}
