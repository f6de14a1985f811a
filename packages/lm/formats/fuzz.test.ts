import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openTensors } from '@enigma/tensor/formats'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadCheckpoint, openModelFolder, saveCheckpoint, saveModel } from '../checkpoint/index.js'
import { createConfig } from '../config.js'
import { isFault } from '../errors.js'
import { LlamaForCausalLM } from '../model/llama.js'
import { Tokenizer, trainBpe } from '../tokenizer/index.js'
import { largestAllocation } from './allocations.test.support.js'
import { exportModel } from './export-model.js'
import { GgufFile } from './gguf-file.js'
import { tokenizerFromGguf } from './gguf-tokenizer.js'
import { goldenFolder, loadSentencePiece } from './golden.test.support.js'
import { importModel } from './import-model.js'
import { mutatedBytes, mutatedJson } from './mutations.test.support.js'

/** Mutations of each file: when there is time 10,000 of each format, counting all kinds of its files. */
const runs = process.env.ENIGMA_SOAK ? 10_000 : 100
/** Buffers that do not grow with files: a window on them, lists of characters. */
const constantBytes = 1 << 16

let root: string
let model: string
let tokenizerJson: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'enigma-fuzz-'))
  const { tokenizer } = await trainBpe({ texts: ['the hare and the tortoise ran and ran'], vocabSize: 270 })
  tokenizerJson = JSON.stringify(tokenizer.toJson())
  model = join(root, 'model')
  const config = createConfig({
    vocabSize: tokenizer.vocabSize,
    dim: 32,
    layers: 1,
    heads: 2,
    kvHeads: 1,
    hidden: 32,
    context: 16,
  })
  const tensors = new LlamaForCausalLM(config, { seed: 1 }).stateDict() as Parameters<typeof saveModel>[1]['tensors']
  await saveModel(model, { config, tensors, tokenizerJson, dtype: 'f16' })
  await rm(join(model, 'enigma.json'))
})
afterAll(() => rm(root, { recursive: true }))

const sentencePiece = async () => tokenizerFromGguf((await loadSentencePiece()).metadata, 'golden')

/** What may come of a damaged file: a fault with a code and a message, or a load; and no allocation of more than twice the file. */
async function survives(size: number, run: () => Promise<unknown>): Promise<void> {
  const { error, bytes } = await largestAllocation(run)
  if (error !== undefined && !isFault(error)) throw error
  expect(bytes).toBeLessThanOrEqual(Math.max(2 * size, constantBytes))
}

interface FuzzOptions {
  readonly isJson?: boolean
  readonly numRuns?: number
  /** Bytes of the other files that belong to the one that is changed. */
  readonly beside?: number
}

async function fuzzed(
  path: string,
  run: () => Promise<unknown>,
  { isJson, numRuns = runs, beside = 0 }: FuzzOptions = {},
): Promise<void> {
  const whole = await readFile(path)
  const mutated = isJson ? fc.oneof(mutatedBytes(whole), mutatedJson(JSON.parse(whole.toString('utf8')))) : mutatedBytes(whole)
  await fc.assert(
    fc.asyncProperty(mutated, async (bytes) => {
      await writeFile(path, bytes)
      await survives(bytes.length + beside, run)
    }),
    { numRuns },
  )
  await writeFile(path, whole)
}

describe('a mutated file is loaded or refused with a code, and takes no more than twice its size:', () => {
  it('safetensors', async () => {
    const path = join(root, 'mutated.safetensors')
    await cp(join(model, 'model.safetensors'), path)
    await fuzzed(path, async () => {
      await using file = await openTensors(path)
      for (const name of file.tensors.keys()) await file.read(name)
    })
  }, 600_000)

  it('a model folder with its config.json', async () => {
    await fuzzed(join(model, 'config.json'), async () => void (await (await openModelFolder(model)).close()), { isJson: true })
  }, 600_000)

  it.each(['f32', 'f16', 'q8_0', 'q4_0'] as const)(
    'GGUF of type %s',
    async (type) => {
      const path = join(root, `mutated-${type}.gguf`)
      await exportModel(model, path, { format: 'gguf', type })
      let imports = 0
      await fuzzed(path, async () => {
        await using file = await GgufFile.open(path)
        for (const name of file.tensors.keys()) for await (const _ of file.pieces(name));
        // Of those that still are files, some are models.
        if (imports++ % 20 === 0) await importModel(path, join(root, 'imported'), { force: true })
      })
    },
    600_000,
  )

  it('an index of shards', async () => {
    const folder = join(root, 'sharded')
    await cp(join(goldenFolder, 'sharded'), folder, { recursive: true })
    const open = async () => {
      await using tensors = await openTensors(folder)
      for (const name of tensors.tensors.keys()) await tensors.read(name)
    }
    const weights = 56_000
    await fuzzed(join(folder, 'model.safetensors.index.json'), open, { isJson: true, numRuns: runs / 5, beside: weights })
  }, 600_000)

  it.each(['byte-level BPE', "SentencePiece's BPE"])(
    'tokenizer.json of %s',
    async (kind) => {
      const path = join(root, 'tokenizer.json')
      await writeFile(path, kind === 'byte-level BPE' ? tokenizerJson : JSON.stringify(await sentencePiece()))
      await fuzzed(
        path,
        async () => {
          const tokenizer = await Tokenizer.load(path)
          const ids = tokenizer.encode('the hare\n 12 é 🐢 <|im_start|>')
          tokenizer.decode(ids)
          tokenizer.decode(tokenizer.encode('<|im_start|>', { special: true }), { skipSpecial: true })
        },
        { isJson: true },
      )
    },
    600_000,
  )

  it('checkpoints', async () => {
    const folder = join(root, 'training')
    await mkdir(folder)
    const tensors = { a: { dtype: 'f32', shape: [3, 4], data: Float32Array.from({ length: 12 }, (_, i) => i) } } as const
    await saveCheckpoint(folder, { step: 3, tensors, optimizer: tensors, state: { step: 3 } })
    const place = join(folder, 'trainer', 'checkpoint-3')
    for (const name of [...(await readdir(place)).map((file) => join(place, file)), join(folder, 'trainer', 'latest.json')])
      await fuzzed(name, async () => void (await (await loadCheckpoint(folder)).close()), {
        isJson: name.endsWith('.json'),
        numRuns: runs / 5,
      })
  }, 600_000)
})
