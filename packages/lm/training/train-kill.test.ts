import { existsSync, watch } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { collect, RunFolder, trainInChild } from '../testing/run-folder.js'
import type { TrainOptions } from './train-options.js'

const kills = process.env.ENIGMA_SOAK ? 20 : 3

/** Kills a training process at any instant, also before its first step. */
const atRandom = (options: TrainOptions) =>
  trainInChild(options, (kill, event) => {
    if (!event) setTimeout(kill, Math.random() * 1500)
  })

/** Kills it while the files of its first checkpoint are written. */
async function whileSaving(options: TrainOptions) {
  const watching = new AbortController()
  try {
    return await trainInChild(options, (kill, event) => {
      if (event?.type !== 'start') return
      watch(join(options.out, 'trainer'), { signal: watching.signal }, (_, name) => {
        if (name && /checkpoint-\d+.*\.tmp$/.test(name)) setTimeout(kill, Math.random() * 12)
      })
    })
  } finally {
    watching.abort()
  }
}

const undisturbed = (options: TrainOptions) => trainInChild(options, () => undefined)

it(`killed ${kills} times, at random instants and while it writes checkpoints, a run ends with the bytes of an uninterrupted one`, {
  timeout: 600_000,
}, async () => {
  using folder = new RunFolder()
  const settings: TrainOptions = { ...folder.base, steps: 30, checkpointEvery: 2, dropout: 0.1, patience: 50 }
  await collect({ ...settings, out: folder.at('uninterrupted') })
  let killed = 0
  for (let run = 0; killed < kills; run++) {
    const out = folder.at(`killed-${run}`)
    for (let ended = false; !ended; ) {
      // Killed before its settings were written, it has nothing to resume.
      const begun = existsSync(join(out, 'trainer', 'run.json'))
      const way = killed >= kills ? undisturbed : killed % 2 === 0 ? whileSaving : atRandom
      ended = await way({ ...settings, out, ...(begun ? { resume: true } : { force: true }) })
      if (!ended) killed++
    }
    expect(await folder.sameWeights(out, folder.at('uninterrupted'))).toBe(true)
  }
})
