import { execFileSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TensorError } from '../errors.js'
import { openTensors } from './open-tensors.js'
import { SafetensorsFile } from './safetensors-reader.js'
import { writeSafetensors } from './safetensors-writer.js'
import { type FloatTensor, readTensors } from './tensor-reader.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'enigma-safetensors-'))
})
afterAll(() => rm(folder, { recursive: true }))

const tensor = (shape: number[], data: Iterable<number>): FloatTensor => ({ dtype: 'f32', shape, data: Float32Array.from(data) })
const pair = { a: tensor([2, 3], [1, 2, 3, 4, 5, 6]), b: tensor([2], [-7, 0.5]) }

async function failure(run: Promise<unknown>): Promise<TensorError> {
  const error = await run.then(
    () => null,
    (error: unknown) => error,
  )
  if (!(error instanceof TensorError)) throw new Error(`expected a TensorError, got ${error}`)
  return error
}

/** A file of this header and so many zero bytes. */
async function crafted(header: string | Uint8Array, dataBytes: number, length?: bigint): Promise<string> {
  const text = typeof header === 'string' ? new TextEncoder().encode(header) : header
  const size = Buffer.alloc(8)
  size.writeBigUInt64LE(length ?? BigInt(text.byteLength))
  const path = join(folder, 'crafted.safetensors')
  await writeFile(path, Buffer.concat([size, text, Buffer.alloc(dataBytes)]))
  return path
}

describe('safetensors', () => {
  it('keeps random tensors under random names, bit by bit', async () => {
    const path = join(folder, 'random.safetensors')
    const anyTensor = fc.array(fc.nat(4), { maxLength: 4 }).chain((shape) => {
      const size = shape.reduce((a, b) => a * b, 1)
      return fc.float32Array({ minLength: size, maxLength: size }).map((data): FloatTensor => ({ dtype: 'f32', shape, data }))
    })
    const names = fc.string({ unit: 'grapheme' }).filter((name) => name !== '__metadata__')
    await fc.assert(
      fc.asyncProperty(fc.dictionary(names, anyTensor, { noNullPrototype: true }), async (tensors) => {
        await writeSafetensors(path, tensors)
        await using file = await openTensors(path)
        const read = await readTensors(file)
        expect(new Set(Object.keys(read))).toEqual(new Set(Object.keys(tensors)))
        for (const [name, { shape, data }] of Object.entries(tensors)) {
          expect(read[name]!.shape).toEqual(shape)
          expect(Buffer.from(read[name]!.data.buffer).equals(Buffer.from(data.slice().buffer))).toBe(true)
        }
      }),
      { numRuns: 60 },
    )
  })

  it('reads what the reference implementation in Python wrote', async () => {
    const golden = fileURLToPath(new URL('../../formats/golden/python.safetensors', import.meta.url))
    await using file = await openTensors(golden)
    expect(file.metadata).toEqual({ format: 'pt', 'made by': 'safetensors' })
    const values = Float32Array.of(
      0,
      -0,
      1,
      -1.5,
      Math.PI,
      1e-5,
      65504,
      6.1e-5,
      -(2 ** -24),
      Number.POSITIVE_INFINITY,
      0.1,
      1 / 3,
    )
    expect(file.tensors.get('f32')?.shape).toEqual([3, 4])
    expect(await file.read('f32')).toEqual(values)
    const halves = [
      0,
      -0,
      1,
      -1.5,
      3.140625,
      1.0013580322265625e-5,
      65504,
      6.097555160522461e-5,
      -(2 ** -24),
      Number.POSITIVE_INFINITY,
    ]
    expect([...(await file.read('f16'))].slice(0, 10)).toEqual(halves)
    expect([...(await file.read('bf16'))].slice(0, 5)).toEqual([0, -0, 1, -1.5, 3.140625])
    expect([...(await file.read('i64'))]).toEqual([-3, 0, 2 ** 40])
    expect([...(await file.read('scalar'))]).toEqual([2.5])
    expect([...(await file.read('empty'))]).toEqual([])
    expect([...(await file.read('naïve "name"\n'))]).toEqual([7])
    expect((await failure(file.read('u8'))).message).toContain('"u8"')
  })

  it('starts the data at a multiple of eight bytes, as the format asks', async () => {
    for (let extra = 0; extra < 8; extra++) {
      const path = join(folder, 'aligned.safetensors')
      await writeSafetensors(path, { [`n${'x'.repeat(extra)}`]: pair.b })
      expect(Number((await readFile(path)).readBigUInt64LE(0)) % 8).toBe(0)
    }
  })

  it.each([
    ['f16', 2],
    ['bf16', 2],
    ['f32', 4],
  ] as const)('stores %s in %d bytes an element, across the pieces it is written in', async (dtype, width) => {
    const path = join(folder, 'wide.safetensors')
    const data = Float32Array.from({ length: (1 << 20) + 5 }, (_, index) => (index % 251) - 100)
    await writeSafetensors(path, { big: { dtype: 'f32', shape: [data.length], data }, after: pair.b }, { dtype })
    await using file = await openTensors(path)
    expect(file.tensors.get('big')?.bytes).toBe(data.length * width)
    expect(Buffer.from((await file.read('big')).buffer).equals(Buffer.from(data.buffer))).toBe(true)
    expect(await file.read('after')).toEqual(pair.b.data)
  })

  it('writes from shared memory and reads into it', async () => {
    const path = join(folder, 'shared.safetensors')
    for (const dtype of ['f32', 'f16'] as const) {
      const source = new Float32Array(new SharedArrayBuffer(24))
      source.set(pair.a.data)
      await writeSafetensors(path, { a: { dtype: 'f32', shape: [6], data: source } }, { dtype })
      await using file = await openTensors(path)
      const target = new Float32Array(new SharedArrayBuffer(32), 8, 6)
      expect(await file.read('a', target)).toBe(target)
      expect([...target]).toEqual([1, 2, 3, 4, 5, 6])
    }
  })

  it('refuses to write what it could not read back: overflow, wrong shape, a reserved name; and leaves nothing behind', async () => {
    const path = join(folder, 'refused', 'x.safetensors')
    const inner = await mkdtemp(join(folder, 'empty-'))
    const target = join(inner, 'x.safetensors')
    const overflow = await failure(writeSafetensors(target, { big: tensor([2], [1, 1e6]) }, { dtype: 'f16' }))
    expect(overflow.code).toBe('TENSOR_OVERFLOW')
    expect(overflow.message).toContain('"big"')
    expect((await failure(writeSafetensors(target, { a: tensor([3], [1, 2]) }))).code).toBe('SHAPE_MISMATCH')
    expect((await failure(writeSafetensors(target, { __metadata__: pair.b }))).code).toBe('TENSOR_UNSUPPORTED')
    expect(await readdir(inner)).toEqual([])
    expect((await failure(writeSafetensors(path, pair))).message).toBe(`Cannot write ${path}: its folder does not exist`)
  })
})

describe('a damaged safetensors file', () => {
  it('is refused wherever it is cut', async () => {
    const whole = join(folder, 'whole.safetensors')
    await writeSafetensors(whole, pair)
    const bytes = await readFile(whole)
    const path = join(folder, 'cut.safetensors')
    for (let length = 0; length < bytes.length; length++) {
      await writeFile(path, bytes.subarray(0, length))
      const error = await failure(SafetensorsFile.open(path))
      expect([length, error.code]).toEqual([length, 'FILE_TRUNCATED'])
      expect(error.message).toContain(path)
    }
  })

  it.each([
    ['bytes after the last tensor', '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 5, '1 bytes after the last tensor'],
    ['no JSON', '{"a":', 0, 'not JSON'],
    ['text before the JSON', ' {}', 0, 'does not start with {'],
    ['invalid UTF-8', new Uint8Array([0x7b, 0xff, 0x7d]), 0, 'not JSON'],
    [
      'a name twice',
      '{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"\\u0061" :{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}',
      0,
      '"a" occurs twice',
    ],
    ['a field twice', '{"a":{"dtype":"F32","dtype":"F16","shape":[0],"data_offsets":[0,0]}}', 0, '"dtype" occurs twice'],
    ['an unknown dtype', '{"a":{"dtype":"F31","shape":[0],"data_offsets":[0,0]}}', 0, 'unknown dtype "F31"'],
    ['a dtype from Object', '{"a":{"dtype":"toString","shape":[0],"data_offsets":[0,0]}}', 0, 'unknown dtype'],
    ['lists without end', `{"a":{"dtype":${'['.repeat(50_000)}${']'.repeat(50_000)}}}`, 0, 'that is nested too deeply'],
    ['a negative size', '{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}', 4, 'shape [-1]'],
    ['a fraction', '{"a":{"dtype":"F32","shape":[0.5],"data_offsets":[0,2]}}', 2, 'shape [0.5]'],
    ['a size that disagrees with its shape', '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}', 4, 'needs 8 bytes'],
    [
      'a size beyond counting',
      '{"a":{"dtype":"F32","shape":[9007199254740991,9007199254740991],"data_offsets":[0,4]}}',
      4,
      'needs',
    ],
    ['offsets backwards', '{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}', 4, 'hold -4'],
    ['three offsets', '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}', 4, 'data_offsets [0,4,8]'],
    [
      'overlapping tensors',
      '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}',
      8,
      '"b" overlaps',
    ],
    ['a hole', '{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}', 8, '4 bytes before tensor "a"'],
    ['metadata that are not text', '{"__metadata__":{"a":1}}', 0, '__metadata__ "a" is not a string'],
    ['a tensor that is a list', '{"a":[]}', 0, 'not described by a JSON object'],
  ])('with %s is refused by name', async (_, header, dataBytes, message) => {
    const path = await crafted(header, dataBytes)
    const error = await failure(SafetensorsFile.open(path))
    expect(error.code).toBe('FILE_CORRUPT')
    expect(error.message).toContain(message)
    expect(error.message).toContain(path)
  })

  it('with a header that claims gigabytes is refused before any memory is taken', async () => {
    const error = await failure(SafetensorsFile.open(await crafted('{}', 0, 1n << 60n)))
    expect(error.message).toContain('at most 100000000 are allowed')
  })

  it('never gives anything but a TensorError or the same tensors, whatever byte is flipped', async () => {
    const whole = join(folder, 'flip.safetensors')
    await writeSafetensors(whole, pair)
    const bytes = await readFile(whole)
    const dataStart = 8 + Number(bytes.readBigUInt64LE(0))
    const path = join(folder, 'flipped.safetensors')
    for (let index = 0; index < dataStart; index++) {
      const flipped = Buffer.from(bytes)
      flipped[index]! ^= 1 << (index % 8)
      await writeFile(path, flipped)
      const outcome = await SafetensorsFile.open(path).then(
        (file) => file.close(),
        (error: unknown) => error,
      )
      if (outcome !== undefined) expect(outcome).toBeInstanceOf(TensorError)
    }
  })

  it('that is a folder or a pipe is refused, and not waited for', async () => {
    const pipe = join(folder, 'pipe.safetensors')
    execFileSync('mkfifo', [pipe])
    expect((await failure(openTensors(pipe))).message).toBe(`${pipe} is no file`)
    expect((await failure(SafetensorsFile.open(folder))).message).toBe(`${folder} is a folder`)
  })

  it('that is missing is named', async () => {
    const error = await failure(openTensors(join(folder, 'nowhere.safetensors')))
    expect(error.code).toBe('FILE_NOT_FOUND')
    expect(error.message).toContain('nowhere.safetensors does not exist')
  })
})

describe('reading one tensor', () => {
  it('refuses unknown names and targets of the wrong length', async () => {
    const path = join(folder, 'one.safetensors')
    await writeSafetensors(path, pair)
    await using file = await openTensors(path)
    expect((await failure(file.read('c'))).code).toBe('TENSOR_MISSING')
    expect((await failure(file.read('a', new Float32Array(5)))).message).toContain('has 6 elements, the target 5')
  })
})

describe('a sharded folder', () => {
  async function shards(map: Record<string, string>): Promise<string> {
    const home = await mkdtemp(join(folder, 'shards-'))
    await writeSafetensors(join(home, 'one.safetensors'), { a: pair.a })
    await writeSafetensors(join(home, 'two.safetensors'), { b: pair.b })
    await writeFile(join(home, 'model.safetensors.index.json'), JSON.stringify({ metadata: { total_size: 32 }, weight_map: map }))
    return home
  }

  it('reads as one', async () => {
    await using reader = await openTensors(await shards({ a: 'one.safetensors', b: 'two.safetensors' }))
    expect([...reader.tensors.keys()]).toEqual(['a', 'b'])
    expect(await reader.read('b')).toEqual(pair.b.data)
    expect((await failure(reader.read('c'))).code).toBe('TENSOR_MISSING')
  })

  it('is refused when the index names a tensor, a file or a place that is not there', async () => {
    expect((await failure(openTensors(await shards({ b: 'one.safetensors' })))).code).toBe('TENSOR_MISSING')
    expect((await failure(openTensors(await shards({ a: 'three.safetensors' })))).code).toBe('FILE_NOT_FOUND')
    expect((await failure(openTensors(await shards({ a: '../one.safetensors' })))).message).toContain(
      'not a safetensors file beside it',
    )
  })

  it('without any weights says what it looked for', async () => {
    expect((await failure(openTensors(await mkdtemp(join(folder, 'none-'))))).message).toContain('model.safetensors')
  })
})
