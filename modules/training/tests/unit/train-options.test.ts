import { expect, test } from 'vitest'
import { trainOptions } from '../../train-options.js'

const job = { data: ['a.txt'], out: 'm' }

test("a job's settings go over the module's defaults", () => {
  const config = { nice: 0, threads: 2, batch: 4, learningRate: 0.01 }
  expect(trainOptions({ ...job, batch: 16, settings: { clipNorm: 2 } }, config)).toEqual({
    ...job,
    threads: 2,
    batch: 16,
    learningRate: 0.01,
    clipNorm: 2,
  })
})

test('the default number of epochs gives way to steps', () => {
  expect(trainOptions({ ...job, steps: 5 }, { nice: 0, epochs: 3 })).toEqual({ ...job, steps: 5 })
  expect(trainOptions(job, { nice: 0, epochs: 3 })).toEqual({ ...job, epochs: 3 })
})

test('a resumed run keeps the settings that it was started with', () => {
  const config = { nice: 0, threads: 2, batch: 4 }
  expect(trainOptions({ ...job, resume: true }, config)).toEqual({ ...job, resume: true, threads: 2 })
})

test('what the trainer does not know is refused by name', () => {
  const given = (settings: Record<string, unknown>) => () => trainOptions({ ...job, settings }, { nice: 0 })
  expect(given({ clip: 1 })).toThrow(/no setting 'clip'.*clipNorm/)
  expect(given({ clipNorm: '1' })).toThrow('clipNorm must be a number, got 1')
  expect(() => trainOptions({ ...job, size: 'smal' }, { nice: 0 })).toThrow(/Unknown preset: smal/)
  expect(trainOptions({ ...job, valid: 'held-out.txt' }, { nice: 0 }).valid).toBe('held-out.txt')
})
