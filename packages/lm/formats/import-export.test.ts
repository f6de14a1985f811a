import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nativeRuntime } from '@enigma/tensor'
import { openTensors, readTensors, temporaryName } from '@enigma/tensor/formats'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openModelFolder, saveModel } from '../checkpoint/index.js'
import { createConfig } from '../config.js'
import { Decoder } from '../generation/decoder.js'
import { LanguageModel } from '../language-model.js'
import { LlamaForCausalLM } from '../model/llama.js'
import { type Tokenizer, trainBpe } from '../tokenizer/index.js'
import { exportModel } from './export-model.js'
import { distance, goldenFolder } from './golden.test.support.js'
import { importModel } from './import-model.js'

let root: string
let tokenizer: Tokenizer
let place: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'enigma-import-'))
  tokenizer = (await trainBpe({ texts: ['the hare and the tortoise ran and ran'], vocabSize: 280 })).tokenizer
})
beforeEach(async () => {
  place = await mkdtemp(join(root, 'case-'))
})
afterAll(() => rm(root, { recursive: true }))

async function model(name = 'hare', dtype: 'f32' | 'f16' | 'bf16' = 'f32') {
  const folder = join(place, name)
  const config = createConfig({
    vocabSize: tokenizer.vocabSize,
    dim: 32,
    layers: 2,
    heads: 2,
    kvHeads: 1,
    context: 32,
    eosIds: [0],
  })
  const tensors = new LlamaForCausalLM(config, { seed: 1 }).stateDict() as Parameters<typeof saveModel>[1]['tensors']
  await saveModel(folder, { config, tensors, tokenizerJson: JSON.stringify(tokenizer.toJson()), dtype })
  return { folder, config }
}

const weights = async (folder: string) => {
  await using files = await openModelFolder(folder)
  return await readTensors(files.tensors)
}

describe('a model exported as GGUF and imported again', () => {
  it.each(['f32', 'f16', 'bf16'] as const)('in %s has the same weights, configuration and tokenizer', async (dtype) => {
    const { folder, config } = await model('hare', dtype)
    const seen: number[] = []
    const file = join(place, 'hare.gguf')
    const written = await exportModel(folder, file, { format: 'gguf', onProgress: (done, total) => seen.push(done / total) })
    expect(written).toMatchObject({ file, format: 'gguf', type: dtype })
    expect([seen[0], seen.at(-1)]).toEqual([0, 1])
    const target = join(place, 'again')
    const imported = await importModel(file, target)
    expect(imported).toMatchObject({ folder: target, format: 'gguf', config })
    expect(await weights(target)).toEqual(await weights(folder))
    const read = await LanguageModel.load(target)
    expect(read.tokenizer.encode('the tortoise')).toEqual(tokenizer.encode('the tortoise'))
  })

  it('keeps its chat template', async () => {
    const { folder } = await model()
    await writeFile(
      join(folder, 'tokenizer_config.json'),
      JSON.stringify({ chat_template: [{ name: 'default', template: '{{ a }}' }] }),
    )
    await exportModel(folder, join(place, 'hare.gguf'), { format: 'gguf' })
    await importModel(join(place, 'hare.gguf'), join(place, 'again'))
    expect(await readFile(join(place, 'again', 'chat_template.jinja'), 'utf8')).toBe('{{ a }}')
  })
})

describe('a model exported as safetensors', () => {
  it.each(['f32', 'f16'] as const)('in %s is the weights alone', async (type) => {
    const { folder } = await model('hare', type)
    const file = join(place, 'hare.safetensors')
    await exportModel(folder, file, { format: 'safetensors' })
    await using tensors = await openTensors(file)
    expect(await readTensors(tensors)).toEqual(await weights(folder))
    expect(tensors.tensors.get('model.norm.weight')!.dtype).toBe(type.toUpperCase())
  })

  it('refuses a type it does not have', async () => {
    const { folder } = await model()
    const exporting = exportModel(folder, join(place, 'x'), { format: 'safetensors', type: 'q4_0' })
    await expect(exporting).rejects.toThrow('A safetensors file holds weights as f32, f16, bf16, not as "q4_0"')
  })
})

it('an export removes what a killed one has left half-written', async () => {
  const { folder } = await model()
  const mark = temporaryName('hare.gguf', 'ab').replace(`-${process.pid}-`, '-999999999-')
  await writeFile(join(place, mark), 'half')
  await exportModel(folder, join(place, 'hare.gguf'), { format: 'gguf' })
  expect((await readdir(place)).sort()).toEqual(['hare', 'hare.gguf'])
})

describe('a model exported as ONNX', () => {
  it('is a decoding step that ONNX Runtime computes as we do', async () => {
    const { folder, config } = await model()
    const file = join(place, 'hare.onnx')
    await exportModel(folder, file, { format: 'onnx' })
    const runtime = await nativeRuntime()
    const session = await runtime.createSession(await readFile(file), { threads: 1, spin: false })
    const { context, kvHeads, headDim, vocabSize } = config
    const shape = [1, kvHeads, context, headDim]
    const empty = (name: string) => [name, { dtype: 'f32', shape, data: new Float32Array(kvHeads * context * headDim) }] as const
    const caches = Object.fromEntries(session.inputs.filter((name) => /^(keys|values)\./.test(name)).map(empty))
    const fetches = Object.fromEntries(Object.entries(caches).map(([name, cache]) => [`new.${name}`, cache]))
    const logits = { dtype: 'f32', shape: [1, vocabSize], data: new Float32Array(vocabSize) } as const
    const int = (value: number) => ({ dtype: 'i32', shape: [1], data: Int32Array.of(value) }) as const
    const long = (shape: number[], ...values: bigint[]) => ({ dtype: 'i64', shape, data: BigInt64Array.from(values) }) as const
    const step = async (tokens: bigint[], total: number) => {
      const feeds = { tokens: long([1, tokens.length], ...tokens), position: long([1], BigInt(tokens.length - 1)) }
      const run = session.bind({ ...feeds, last: int(total - 1), total: int(total), ...caches }, { logits, ...fetches })
      await run.run()
      run.release()
      return Float32Array.from(logits.data)
    }
    const decoder = await Decoder.create(config, await weights(folder), { threads: 1, spin: false })
    const sequence = decoder.start()
    expect(distance(await step([5n, 9n, 12n], 3), await decoder.feed(sequence, [5, 9, 12]))).toBeLessThan(1e-6)
    expect(distance(await step([7n], 4), await decoder.feed(sequence, [7]))).toBeLessThan(1e-6)
    sequence[Symbol.dispose]()
    decoder.release()
    session.release()
  })
})

describe('importing a folder', () => {
  async function sharded() {
    const folder = join(place, 'qwen')
    await mkdir(folder)
    for (const name of await readdir(join(goldenFolder, 'sharded')))
      await writeFile(join(folder, name), await readFile(join(goldenFolder, 'sharded', name)))
    await writeFile(join(folder, 'README.md'), '# Qwen')
    const vocab = Object.fromEntries(Array.from('abcdefgh', (letter, id) => [letter, id]))
    await writeFile(join(folder, 'tokenizer.json'), JSON.stringify({ model: { type: 'WordLevel', vocab, unk_token: 'a' } }))
    return folder
  }

  it('copies shards, card and what else belongs to it, and hashes them', async () => {
    const folder = await sharded()
    await writeFile(join(folder, 'generation_config.json'), '{"eos_token_id":[2,5]}')
    const target = join(place, 'mine')
    const { format, config } = await importModel(folder, target)
    expect(format).toBe('safetensors')
    expect((await readdir(target)).sort()).toEqual([...(await readdir(folder)), 'enigma.json'].sort())
    expect(await weights(target)).toEqual(await weights(folder))
    await using files = await openModelFolder(target)
    expect(files.info?.createdBy).toBe('imported from qwen')
    expect([config.eosIds, files.config.eosIds]).toEqual([
      [2, 5],
      [2, 5],
    ])
  })

  it('begins texts with a token only where its tokenizer does', async () => {
    const folder = await sharded()
    const json = JSON.parse(await readFile(join(folder, 'tokenizer.json'), 'utf8')) as object
    const bosOf = async (tokenizer: object, settings: object = {}) => {
      await writeFile(join(folder, 'tokenizer.json'), JSON.stringify({ ...json, ...tokenizer }))
      await writeFile(join(folder, 'tokenizer_config.json'), JSON.stringify(settings))
      await importModel(folder, join(place, 'mine'), { force: true })
      await using files = await openModelFolder(join(place, 'mine'))
      return files.config.bosId
    }
    const template = { type: 'TemplateProcessing', single: [{ SpecialToken: { id: '<s>' } }, { Sequence: { id: 'A' } }] }
    expect(await bosOf({})).toBe(null)
    expect(await bosOf({}, { add_bos_token: true })).toBe(1)
    expect(await bosOf({ post_processor: { type: 'ByteLevel' } }, { add_bos_token: true })).toBe(null)
    expect(await bosOf({ post_processor: { type: 'Sequence', processors: [{ type: 'ByteLevel' }, template] } })).toBe(1)
  })

  it('changes nothing when it is stopped, and refuses what is there unless told', async () => {
    const folder = await sharded()
    const target = join(place, 'mine')
    const stopped = importModel(folder, target, { signal: AbortSignal.abort() })
    await expect(stopped).rejects.toMatchObject({ code: 'ABORTED' })
    expect(await readdir(target)).toEqual([])
    await importModel(folder, target)
    await expect(importModel(folder, target)).rejects.toMatchObject({ code: 'MODEL_EXISTS' })
    await importModel(folder, target, { force: true })
    await exportModel((await model()).folder, join(place, 'hare.gguf'), { format: 'gguf' })
    await importModel(join(place, 'hare.gguf'), target, { force: true })
    const names = ['config.json', 'enigma.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json']
    expect((await readdir(target)).sort()).toEqual(names)
    await importModel(folder, target, { force: true })
    expect(await readdir(target)).not.toContain('model.safetensors')
    expect(await weights(target)).toEqual(await weights(folder))
    await expect(importModel(target, target, { force: true })).rejects.toThrow(/is where it would be imported to/)
  })

  it("leaves somebody else's files where they are", async () => {
    const folder = await sharded()
    const target = join(place, 'project')
    await mkdir(target)
    await writeFile(join(target, 'LICENSE'), 'mine')
    await exportModel((await model()).folder, join(place, 'hare.gguf'), { format: 'gguf' })
    for (const source of [folder, join(place, 'hare.gguf')])
      await expect(importModel(source, target)).rejects.toThrow(/already holds LICENSE/)
    expect(await readdir(target)).toEqual(['LICENSE'])
  })

  it('takes along only files, and waits for no pipe', async () => {
    const folder = await sharded()
    await mkdir(join(folder, 'LICENSE'))
    execFileSync('mkfifo', [join(place, 'pipe')])
    await importModel(folder, join(place, 'mine'))
    expect(await readdir(join(place, 'mine'))).not.toContain('LICENSE')
    await expect(importModel(join(place, 'pipe'), join(place, 'other'))).rejects.toThrow(/pipe is no file/)
  })

  it('names what is missing', async () => {
    await expect(importModel(join(place, 'no'), join(place, 'mine'))).rejects.toThrow(`There is no model at ${join(place, 'no')}`)
    const folder = await sharded()
    await rm(join(folder, 'tokenizer.json'))
    await expect(importModel(folder, join(place, 'mine'))).rejects.toThrow(/has no tokenizer.json/)
  })
})
