import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { LanguageModel } from '../language-model.js'
import { collect, RunFolder } from '../testing/run-folder.js'
import { findLearningRate, suggestRate } from './find-learning-rate.js'
import { train } from './train.js'

let folder: RunFolder
beforeEach(() => {
  folder = new RunFolder()
})
afterEach(() => folder[Symbol.dispose]())

it('learns characters, and the model keeps them', async () => {
  const { vocabSize: _, ...options } = folder.base
  const { events } = await collect({ ...options, tokenizer: 'char', learningRate: 3e-3 })
  const losses = events.flatMap((event) => (event.type === 'report' ? [event.loss] : []))
  expect(losses.at(-1)!).toBeLessThan(losses[0]! - 0.5)
  const { tokenizer } = await LanguageModel.load(options.out)
  const text = await readFile(options.data[0]!, 'utf8')
  expect(tokenizer.vocabSize).toBe(4 + new Set(text).size)
  expect(tokenizer.decode(tokenizer.encode(text))).toBe(text)
})

it('with Muon ends with the same bytes after a pause, and other ones than with AdamW', async () => {
  const settings = { ...folder.base, optimizer: 'muon', steps: 6, checkpointEvery: 2 } as const
  await collect({ ...settings, out: folder.at('uninterrupted') })
  const stopping = new AbortController()
  await train({ ...settings, signal: stopping.signal }, (event) => {
    if (event.type === 'report' && event.step === 3) stopping.abort()
  })
  await expect(train({ ...settings, resume: true, optimizer: 'adamw' })).rejects.toThrow(/This run has optimizer muon/)
  await collect({ ...settings, resume: true })
  expect(await folder.sameWeights(settings.out, folder.at('uninterrupted'))).toBe(true)
  await collect({ ...settings, optimizer: 'adamw', out: folder.at('adamw') })
  expect(await folder.sameWeights(settings.out, folder.at('adamw'))).toBe(false)
})

it('with patience ends early and keeps the best weights, after a pause too', async () => {
  // A rate at which it gets worse after a while.
  const settings = { ...folder.base, steps: 60, patience: 2, validateEvery: 3, learningRate: 0.3, schedule: 'constant' } as const
  const { events, result } = await collect({ ...settings, out: folder.at('uninterrupted') })
  const validations = events.filter((event) => event.type === 'validation')
  const lowest = validations.reduce((best, next) => (next.loss < best.loss ? next : best))
  expect(result).toMatchObject({ stopped: false, step: lowest.step + 6 })
  expect(result.step).toBeLessThan(60)
  expect(events.find((event) => event.type === 'best')).toMatchObject({ step: result.step, best: lowest.step, loss: lowest.loss })

  const stopping = new AbortController()
  await train({ ...settings, signal: stopping.signal }, (event) => {
    if (event.type === 'validation' && event.step === lowest.step + 3) stopping.abort()
  })
  await collect({ ...settings, resume: true })
  expect(await folder.sameWeights(settings.out, folder.at('uninterrupted'))).toBe(true)
  const { result: again } = await collect({ ...settings, resume: true })
  expect(again.step).toBe(result.step)
  expect((await readdir(join(settings.out, 'trainer'))).filter((name) => name.startsWith('best-'))).toEqual([
    `best-${lowest.step}.safetensors`,
  ])
})

it('needs held-out text for patience', async () => {
  const { valid: _, ...settings } = folder.base
  await expect(train({ ...settings, patience: 2 })).rejects.toThrow(/patience.*--valid/)
})

it('refuses a checkpoint with one flipped byte by name, offers the one before, and goes on from it to the same bytes', async () => {
  await collect({ ...folder.base, out: folder.at('uninterrupted') })
  const stopping = new AbortController()
  await train({ ...folder.base, signal: stopping.signal }, (event) => {
    if (event.type === 'report' && event.step === 10) stopping.abort()
  })
  const file = join(folder.base.out, 'trainer', 'checkpoint-10', 'weights.safetensors')
  const bytes = await readFile(file)
  bytes[bytes.length >> 1]! ^= 1
  await writeFile(file, bytes)
  await expect(train({ ...folder.base, resume: true })).rejects.toMatchObject({
    code: 'CHECKPOINT_CORRUPT',
    message: expect.stringMatching(/checkpoint-10.weights\.safetensors does not match.* step 8 .* is sound.*--resume --fallback/),
  })
  const { events } = await collect({ ...folder.base, resume: true, fallback: true })
  expect(events.find((event) => event.type === 'start')).toMatchObject({ step: 8, resumed: true })
  expect(events.find((event) => event.type === 'warning')).toMatchObject({
    message: expect.stringMatching(/checkpoint-10.*from step 8/),
  })
  expect(await folder.sameWeights(folder.base.out, folder.at('uninterrupted'))).toBe(true)
})

it('finds a learning rate: the middle of where the loss falls', () => {
  const curve = [9, 9, 8.9, 8, 7, 6, 5, 5.5, 9, 30].map((smoothed, index) => ({ learningRate: 10 ** (index - 8), smoothed }))
  expect(suggestRate(curve)).toBeCloseTo(1e-5, 12)
  expect(suggestRate([1, 2, 3, 4].map((smoothed) => ({ learningRate: 1, smoothed })))).toBeNull()
})

it('tries rates until the loss diverges, and leaves nothing behind', async () => {
  const { steps: _, out, ...settings } = folder.base
  const seen: number[] = []
  const { points, suggestion } = await findLearningRate({
    ...settings,
    rates: 30,
    onRate: ({ learningRate }) => seen.push(learningRate),
  })
  expect(points.map(({ learningRate }) => learningRate)).toEqual(seen)
  expect(seen[0]).toBeCloseTo(1e-6, 12)
  expect(suggestion).toBeGreaterThan(1e-5)
  expect(suggestion).toBeLessThan(0.3)
  await expect(readdir(out)).rejects.toThrow(/ENOENT/)
})

it('touches nothing that is not its own: a folder `trainer` of something else, the settings of another program', async () => {
  const { out } = folder.base
  await mkdir(join(out, 'trainer'), { recursive: true })
  await writeFile(join(out, 'trainer', 'plan.md'), 'mine')
  for (const force of [false, true])
    await expect(train({ ...folder.base, force })).rejects.toThrow(/holds plan.md, which no training/)
  expect(await readdir(join(out, 'trainer'))).toEqual(['plan.md'])
  await rm(join(out, 'trainer'), { recursive: true })
  await writeFile(join(out, 'config.json'), '{}')
  await expect(train(folder.base)).rejects.toThrow(/already holds config.json/)
})

it('what it replaces leaves no chat template behind that would be taken for its own', async () => {
  const { out } = folder.base
  await mkdir(out)
  await writeFile(join(out, 'chat_template.jinja'), '{{ old }}')
  await writeFile(join(out, 'README.md'), 'mine')
  await train({ ...folder.base, steps: 1, force: true })
  expect((await LanguageModel.load(out)).chatTemplate).toBeNull()
  expect(await readdir(out)).toContain('README.md')
})

it('an adapter does not go where its model lies', async () => {
  const { out } = folder.base
  await expect(
    train({ ...folder.base, size: undefined, vocabSize: undefined, from: out, lora: 'r=2', force: true } as never),
  ).rejects.toThrow(/--out must be another folder/)
})

it('a run that cannot begin leaves none behind: the next one needs no force', async () => {
  const data = [folder.write('short.txt', 'Once.')]
  await expect(train({ ...folder.base, data })).rejects.toMatchObject({ code: 'DATA_TOO_SMALL' })
  expect((await train({ ...folder.base, steps: 1 })).step).toBe(1)
})
