import { type Candidates, first } from './candidates.js'
import type { ResolvedSampling } from './sampling-options.js'

/** Drops candidates; at least one stays. */
interface Cut {
  readonly name: keyof ResolvedSampling
  readonly active: (options: ResolvedSampling) => boolean
  readonly apply: (candidates: Candidates, options: ResolvedSampling) => Candidates
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

/** The cuts after top-k and temperature, in Hugging Face's order; each sees what the one before has left, as if it were everything. */
export const cuts: readonly Cut[] = [
  {
    name: 'topP',
    active: ({ topP }) => topP < 1,
    apply(candidates, { topP }) {
      const enough = topP * sum(candidates.weights)
      return first(
        candidates,
        countUntil(candidates.weights, (mass) => mass < enough),
      )
    },
  },
  {
    name: 'minP',
    active: ({ minP }) => minP > 0,
    apply(candidates, { minP }) {
      const least = minP * candidates.weights[0]!
      return first(candidates, Math.max(1, candidates.weights.filter((weight) => weight >= least).length))
    },
  },
  {
    name: 'typicalP',
    active: ({ typicalP }) => typicalP < 1,
    apply({ tokens, weights }, { typicalP }) {
      const total = sum(weights)
      const surprise = weights.map((weight) => Math.log(total) - Math.log(weight))
      const entropy = sum(weights.map((weight, index) => (weight > 0 ? (weight / total) * surprise[index]! : 0)))
      const distance = surprise.map((value) => Math.abs(value - entropy))
      const order = [...distance.keys()].sort((a, b) => distance[a]! - distance[b]! || a - b)
      const nearest = order.map((index) => weights[index]!)
      const kept = countUntil(nearest, (mass) => mass < typicalP * total)
      const places = order.slice(0, kept).sort((a, b) => a - b)
      return { tokens: places.map((place) => tokens[place]!), weights: places.map((place) => weights[place]!) }
    },
  },
]

/** How many of the weights are taken, one after another, while what is taken so far is not enough; at least one. */
function countUntil(weights: readonly number[], goesOn: (mass: number) => boolean): number {
  let mass = 0
  let count = 0
  while (count < weights.length && (count === 0 || goesOn(mass))) mass += weights[count++]!
  return count
}
