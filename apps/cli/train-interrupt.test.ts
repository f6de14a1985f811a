import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Place, sampleText, tiny } from './enigma.test.fixture.js'

let place: Place
beforeAll(async () => {
  place = await Place.make()
  await place.write('text.txt', sampleText(1200))
})
afterAll(() => place[Symbol.asyncDispose]())

const steps = '120'
const train = (out: string) => [
  'train',
  '--data',
  'text.txt',
  ...tiny,
  '--steps',
  steps,
  '--report-every',
  '5',
  '--sample-every',
  '0',
  '--out',
  out,
  '--json',
]

describe('train, interrupted by Ctrl-C', () => {
  it('leaves a checkpoint, says how to go on, and goes on to the weights of an uninterrupted run', {
    timeout: 180_000,
  }, async () => {
    let sent = false
    const stopped = await place.run(train('interrupted'), {
      watch(stdout, kill) {
        if (!sent && stdout.includes('"step":10,')) kill('SIGINT')
        sent ||= stdout.includes('"step":10,')
      },
    })
    expect(stopped.stderr).toMatch(/Stopped at step \d+, with a checkpoint.*--out interrupted --resume/)
    expect(stopped.code).toBe(130)

    const resumed = await place.run(['train', '--out', 'interrupted', '--resume', '--report-every', '5', '--json'])
    expect(resumed.stderr).not.toMatch(/^error/m)
    expect(resumed.code).toBe(0)
    const first = JSON.parse(resumed.stdout.split('\n')[0]!) as { step: number }
    expect(first.step).toBeGreaterThan(10)

    expect((await place.run(train('whole'))).code).toBe(0)
    const weights = (folder: string) => readFile(place.path(folder, 'model.safetensors'))
    expect((await weights('interrupted')).equals(await weights('whole'))).toBe(true)
  })
})
