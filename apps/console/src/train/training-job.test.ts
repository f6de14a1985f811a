import { expect, it } from 'vitest'
import { noCurve, type Report, withReport } from './training-job.js'

const report = (step: number, more: Partial<Report> = {}): Report => ({
  id: 'a',
  step,
  loss: 10 - step,
  tokensPerSecond: 1,
  ...more,
})

it('a curve grows by reports, with gaps where nothing was measured', () => {
  const curve = [report(1), report(2, { bitsPerByte: 3 })].reduce(withReport, noCurve)
  expect(curve).toEqual({ steps: [1, 2], loss: [9, 8], bitsPerByte: [null, 3] })
})

it('a run that was resumed goes on where it was', () => {
  const curve = [report(1), report(2), report(3), report(2, { loss: 5 })].reduce(withReport, noCurve)
  expect([curve.steps, curve.loss]).toEqual([
    [1, 2],
    [9, 5],
  ])
})

it('a long run is thinned, and keeps its beginning', () => {
  let curve = noCurve
  for (let step = 1; step <= 4001; step++) curve = withReport(curve, report(step))
  expect(curve.steps.length).toBeLessThanOrEqual(2001)
  expect([curve.steps[0], curve.steps.at(-1)]).toEqual([1, 4001])
})
