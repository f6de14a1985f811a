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

/**
 * Where a layer's first weights come from: a number for reproducible ones, undefined (the default) for different ones each
 * time, as in PyTorch without `manual_seed`, null for zeros, where the caller fills the weights itself.
 */
export type Seed = number | null | undefined

/** The generator of a seed; undefined where nothing is to be drawn. */
export function randomOf(seed: Seed): Random | undefined {
  if (seed === null) return undefined
  return new Random(seed ?? Math.floor(Math.random() * 2 ** 32))
}

/** The seed of the index-th part of a layer made of parts. */
export function childSeed(seed: Seed, index: number): Seed {
  return typeof seed === 'number' ? seed + 0x9e3779b9 * (index + 1) : seed
}
