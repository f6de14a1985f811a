import { mkdir, mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type FloatTensor, readTensors } from '@enigma/tensor/formats'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ModelConfig } from '../config.js'
import { type Fault, isFault } from '../errors.js'
import { configToHuggingFace } from '../huggingface-config.js'
import { parameterCount } from '../memory.js'
import { parameterSpecs } from '../parameters.js'
import { presetConfig } from '../presets.js'
import { findModels } from './find-models.js'
import { openModelFolder, refuseExistingModel } from './model-folder.js'
import { saveCheckpoint } from './save-checkpoint.js'
import { saveModel } from './save-model.js'

let root: string
let folder: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'enigma-model-'))
})
beforeEach(async () => {
  folder = join(await mkdtemp(join(root, 'models-')), 'mine')
})
afterAll(() => rm(root, { recursive: true }))

const config = presetConfig('nano', 50, { bosId: 0, eosIds: [1] })
const weights = (of: ModelConfig): Record<string, FloatTensor> =>
  Object.fromEntries(
    parameterSpecs(of).map(({ name, shape }, index) => {
      const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, at) => ((at + index) % 17) / 16)
      return [name, { dtype: 'f32', shape, data }]
    }),
  )
const content = { config, tensors: weights(config), tokenizerJson: '{"model":{}}' }

async function failure(run: Promise<unknown>): Promise<Fault> {
  const error = await run.then(
    () => null,
    (error: unknown) => error,
  )
  if (!isFault(error)) throw new Error(`expected a fault, got ${error}`)
  return error
}

describe('a model folder', () => {
  it('gives back configuration, tokenizer and weights', async () => {
    await saveModel(folder, { ...content, dtype: 'f16', card: '# Mine', createdBy: 'a test' })
    expect((await readdir(folder)).sort()).toEqual([
      'README.md',
      'config.json',
      'enigma.json',
      'model.safetensors',
      'tokenizer.json',
    ])
    await using model = await openModelFolder(folder)
    expect(model.config).toEqual(config)
    expect(model.info).toMatchObject({ preset: 'nano', createdBy: 'a test' })
    expect(await readFile(model.tokenizerPath!, 'utf8')).toBe('{"model":{}}')
    const read = await readTensors(model.tensors)
    expect(Object.keys(read)).toEqual(Object.keys(content.tensors))
    for (const [name, { shape, data }] of Object.entries(content.tensors)) {
      expect(read[name]!.shape).toEqual(shape)
      expect(Buffer.from(read[name]!.data.buffer).equals(Buffer.from(data.buffer))).toBe(true)
    }
    expect(JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')).torch_dtype).toBe('float16')
  })

  it('of Hugging Face, without our hashes, loads as well', async () => {
    await saveModel(folder, content)
    await rm(join(folder, 'enigma.json'))
    await rm(join(folder, 'tokenizer.json'))
    await using model = await openModelFolder(folder)
    expect([model.info, model.tokenizerPath]).toEqual([null, null])
    expect(model.tensors.tensors.size).toBe(parameterSpecs(config).length)
  })

  it('saved again changes as a whole and keeps its checkpoints', async () => {
    await saveCheckpoint(folder, { step: 3, tensors: {}, state: null })
    await saveModel(folder, { ...content, card: '# One' })
    const wider = presetConfig('nano', 60)
    await saveModel(folder, { config: wider, tensors: weights(wider), tokenizerJson: '{}' })
    await using model = await openModelFolder(folder)
    expect(model.config.vocabSize).toBe(60)
    expect(await readdir(join(folder, 'trainer'))).toContain('checkpoint-3')
  })

  it.each(['model.safetensors', 'tokenizer.json', 'config.json'])('with a flipped bit in %s is refused by name', async (name) => {
    await saveModel(folder, content)
    const path = join(folder, name)
    const bytes = await readFile(path)
    const at = name === 'config.json' ? bytes.indexOf('32') : bytes.length - 3
    bytes[at]! ^= 1
    await writeFile(path, bytes)
    const error = await failure(openModelFolder(folder))
    expect(error.code).toBe('HASH_MISMATCH')
    expect(error.message).toContain(`${path} does not match its hash`)
    expect(error.message).toContain('delete enigma.json if you changed it yourself')
  })

  it('with truncated weights is refused by name, with and without hashes', async () => {
    await saveModel(folder, content)
    await truncate(join(folder, 'model.safetensors'), 5000)
    for (let round = 0; round < 2; round++) {
      const error = await failure(openModelFolder(folder))
      expect(error.code).toBe('FILE_TRUNCATED')
      expect(error.message).toContain(join(folder, 'model.safetensors'))
      await rm(join(folder, 'enigma.json'), { force: true })
    }
  })

  it('whose card was edited still opens', async () => {
    await saveModel(folder, { ...content, card: '# Mine' })
    await writeFile(join(folder, 'README.md'), '# Ours')
    await (await openModelFolder(folder)).close()
  })

  it('whose weights do not fit its configuration is refused, naming the tensor', async () => {
    await saveModel(folder, { ...content, config: presetConfig('nano', 51) })
    expect((await failure(openModelFolder(folder))).message).toContain('"model.embed_tokens.weight"')
    const { 'model.norm.weight': _, ...rest } = content.tensors
    await saveModel(folder, { ...content, tensors: rest })
    const error = await failure(openModelFolder(folder))
    expect([error.code, error.message]).toEqual([
      'TENSOR_MISSING',
      `${join(folder, 'model.safetensors')} lacks "model.norm.weight", which config.json calls for`,
    ])
  })

  it('that is none says what is missing', async () => {
    expect((await failure(openModelFolder(folder))).message).toBe(`${folder} is not a model folder: it does not exist`)
    await mkdir(folder)
    expect((await failure(openModelFolder(folder))).message).toBe(`${folder} is not a model folder: it has no config.json`)
    await writeFile(join(folder, 'config.json'), JSON.stringify(configToHuggingFace(config)))
    expect((await failure(openModelFolder(folder))).message).toContain('holds neither model.safetensors nor')
  })

  it('on a full disk stays what it was', async () => {
    await saveModel(folder, content)
    for (let failing = 0; failing < 4; failing++) {
      let count = 0
      const wider = presetConfig('nano', 60)
      const saving = saveModel(
        folder,
        { config: wider, tensors: weights(wider), tokenizerJson: '{}' },
        {
          write: async (handle, bytes, position) => {
            if (count++ === failing) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
            await handle.write(bytes, 0, bytes.byteLength, position)
          },
        },
      )
      const error = await failure(saving)
      expect(error.code).toBe('DISK_FULL')
      expect((await readdir(folder)).sort()).toEqual(['config.json', 'enigma.json', 'model.safetensors', 'tokenizer.json'])
      await using model = await openModelFolder(folder)
      expect(model.config.vocabSize).toBe(50)
    }
  })

  it('of another precision than weights are read in is refused when it is opened', async () => {
    await saveModel(folder, content)
    const path = join(folder, 'model.safetensors')
    const bytes = await readFile(path)
    bytes.write('I32', bytes.indexOf('F32'))
    await writeFile(path, bytes)
    const error = await failure(openModelFolder(folder, { verify: false }))
    expect([error.code, error.message]).toEqual([
      'TENSOR_UNSUPPORTED',
      expect.stringMatching(/is I32; weights are read as F32, F16, BF16/),
    ])
  })

  it('is not overwritten by accident, nor are checkpoints', async () => {
    const refused = () => failure(refuseExistingModel(folder, ['README.md']))
    await refuseExistingModel(folder, ['README.md'])
    await saveCheckpoint(folder, { step: 3, tensors: {}, state: null })
    expect((await refused()).message).toContain('already holds checkpoints of a training run')
    await saveModel(folder, content)
    const error = await refused()
    expect([error.code, error.message]).toEqual([
      'MODEL_EXISTS',
      `${folder} already holds a model. Continue it with --resume, replace it with --force, or choose another folder`,
    ])
  })
})

it.each(['config.json', 'README.md', 'adapter_config.json'])(
  "somebody else's %s is not overwritten by accident",
  async (name) => {
    await mkdir(folder)
    await writeFile(join(folder, 'notes.txt'), 'mine')
    await refuseExistingModel(folder, ['README.md'])
    await writeFile(join(folder, name), 'mine')
    const error = await failure(refuseExistingModel(folder, ['README.md']))
    expect(error.message).toContain(`already holds ${name}. `)
  },
)

describe('looking for models', () => {
  it('lists sound and broken ones under the roots, by name', async () => {
    const models = join(root, 'zoo')
    await saveModel(join(models, 'zebra'), { ...content, dtype: 'f16' })
    await saveModel(join(models, 'me', 'ant'), content)
    await saveModel(join(models, 'mole'), content)
    await truncate(join(models, 'mole', 'model.safetensors'), 100)
    await saveModel(join(models, 'owl'), content)
    await rm(join(models, 'owl', 'model.safetensors'))
    await symlink(models, join(models, 'owl', 'model.safetensors'))
    await mkdir(join(models, 'other'))
    await writeFile(join(models, 'other', 'config.json'), '{"colour":"red"}')
    const found = await findModels([models, join(models, 'zebra'), join(root, 'missing')])
    expect(found.map(({ name, status }) => [name, status])).toEqual([
      ['ant', 'ok'],
      ['mole', 'broken'],
      ['owl', 'broken'],
      ['zebra', 'ok'],
    ])
    const parameters = parameterCount(config)
    expect(found[3]).toMatchObject({
      preset: 'nano',
      parameters,
      dtype: 'F16',
      bytes: 2 * parameters,
      folder: join(models, 'zebra'),
    })
    expect(found[1]).toMatchObject({ error: { code: 'FILE_TRUNCATED' } })
    expect(found[2]).toMatchObject({ error: { code: 'FILE_NOT_FOUND', message: expect.stringMatching(/is a folder$/) } })
  })
})
