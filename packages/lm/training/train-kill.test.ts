import { existsSync, watch } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { collect, RunFolder, trainInChild } from '../testing/run-folder.js'
import type { TrainOptions } from './train-options.js'

const kills = process.env.ENIGMA_SOAK ? 20 : 2
/** Long enough that one run is killed again and again: each process comes some steps further. */
const steps = process.env.ENIGMA_SOAK ? 120 : 24

/** Kills a training process at any instant, also before its first step. Milliseconds since it began. */
const atRandom = (options: TrainOptions, note: (what: string) => void) =>
  trainInChild(options, (kill, event) => {
    if (event) return
    const after = Math.random() * 1500
    setTimeout(() => {
      note(`${after.toFixed(1)} ms after it began`)
      kill()
    }, after)
  })

/** Kills it while the files of its first checkpoint are written. */
async function whileSaving(options: TrainOptions, note: (what: string) => void) {
  const watching = new AbortController()
  try {
    return await trainInChild(options, (kill, event) => {
      if (event?.type !== 'start') return
      watch(join(options.out, 'trainer'), { signal: watching.signal }, (_, name) => {
        if (!name || !/checkpoint-\d+.*\.tmp$/.test(name)) return
        watching.abort()
        const after = Math.random() * 12
        setTimeout(() => {
          note(`${after.toFixed(1)} ms into ${name}`)
          kill()
        }, after)
      })
    })
  } finally {
    watching.abort()
  }
}

const undisturbed = (options: TrainOptions) => trainInChild(options, () => undefined)

it(`killed ${kills} times, at random instants and while it writes checkpoints, a run ends with the bytes of one that was never killed`, {
  timeout: 600_000,
}, async () => {
  using folder = new RunFolder()
  const settings: TrainOptions = { ...folder.base, steps, checkpointEvery: 2, dropout: 0.1, patience: 50 }
  const whole = folder.at('never-killed')
  await collect({ ...settings, out: whole })
  let killed = 0
  for (let run = 0; killed < kills; run++) {
    const out = folder.at(`killed-${run}`)
    const instants: string[] = []
    for (let ended = false; !ended; ) {
      // Killed before its settings were written, it has nothing to resume.
      const begun = existsSync(join(out, 'trainer', 'run.json'))
      const way = killed >= kills ? undisturbed : killed % 2 === 0 ? whileSaving : atRandom
      ended = await way({ ...settings, out, ...(begun ? { resume: true } : { force: true }) }, (what) => instants.push(what))
      if (!ended) killed++
    }
    expect(await folder.sameWeights(out, whole), `killed ${instants.join('; ')}`).toBe(true)
  }
})
