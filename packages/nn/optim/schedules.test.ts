import { describe, expect, it } from 'vitest'
import { optim } from '../index.js'
import { golden } from './golden.test.fixture.js'

describe('schedules', () => {
  it.each(golden.schedules)('$name gives PyTorch’s rates', ({ name, options, rates }) => {
    const schedule = optim.schedules[name](options)
    rates.forEach((rate, step) => {
      expect(schedule(step), `step ${step}`).toBeCloseTo(rate, 8)
    })
  })

  const names = Object.keys(optim.schedules) as optim.ScheduleName[]
  it.each(names)('%s warms up linearly from 0, and gives rates of the interval (0, peak] ever after', (name) => {
    const schedule = optim.schedules[name]({ learningRate: 2, steps: 100, warmup: 10 })
    for (let step = 0; step < 10; step++) expect(schedule(step)).toBeCloseTo((2 * (step + 1)) / 10, 12)
    for (let step = 10; step < 300; step++) {
      expect(schedule(step)).toBeGreaterThan(0)
      expect(schedule(step)).toBeLessThanOrEqual(2)
    }
  })

  it.each(['linear', 'cosine', 'wsd', 'exponential', 'polynomial'] as const)(
    '%s falls to the final share and stays there',
    (name) => {
      const schedule = optim.schedules[name]({ learningRate: 1, steps: 100, warmup: 10, final: 0.2 })
      for (let step = 10; step < 99; step++) expect(schedule(step + 1)).toBeLessThanOrEqual(schedule(step))
      for (const step of [100, 101, 500]) expect(schedule(step)).toBeCloseTo(0.2, 12)
    },
  )

  it('are defined for runs of one step and for a warm-up of the whole run', () => {
    for (const name of names)
      for (const warmup of [0, 1, 5]) {
        const schedule = optim.schedules[name]({ learningRate: 1, steps: 1, warmup })
        for (const step of [0, 1, 2, 10]) expect(schedule(step), `${name} ${warmup} ${step}`).toBeGreaterThan(0)
      }
  })
})

describe('ReduceLROnPlateau', () => {
  it.each(golden.plateaus)('gives PyTorch’s rates with $options', ({ options, metrics, rates }) => {
    const schedule = new optim.ReduceLROnPlateau({ learningRate: 0.5, ...options })
    metrics.forEach((metric, index) => {
      expect(schedule.step(metric), `metric ${index}`).toBeCloseTo(rates[index]!, 10)
    })
    expect(schedule.learningRate).toBeCloseTo(rates.at(-1)!, 10)
  })

  it('goes on from its state', () => {
    const { options, metrics, rates } = golden.plateaus[0]!
    const first = new optim.ReduceLROnPlateau({ learningRate: 0.5, ...options })
    for (const metric of metrics.slice(0, 9)) first.step(metric)
    const second = new optim.ReduceLROnPlateau({ learningRate: 9, ...options })
    second.loadStateDict(JSON.parse(JSON.stringify(first.stateDict())))
    expect(metrics.slice(9).map((metric) => second.step(metric))).toEqual(rates.slice(9).map((rate) => expect.closeTo(rate, 10)))
  })

  it('never takes a metric that is no number for a better one', () => {
    const schedule = new optim.ReduceLROnPlateau({ learningRate: 1, patience: 1 })
    schedule.step(3)
    expect([Number.NaN, Number.NaN].map((metric) => schedule.step(metric))).toEqual([1, 0.1])
  })

  it('names a setting out of range', () => {
    expect(() => new optim.ReduceLROnPlateau({ learningRate: 1, factor: 1 })).toThrow(/factor must be at least 0 and less than 1/)
  })
})
