import { readFile } from 'node:fs/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compile } from '../compile.js'
import { type HostTensor, sizeOf } from '../dtype.js'
import { TensorError } from '../errors.js'
import type { OpName } from '../ops/index.js'
import { optimize } from '../passes/index.js'
import type { Program } from '../program.js'
import { nativeRuntime } from '../runtime/index.js'
import { feeds, inputsOf, programOf } from '../testing/op-cases.js'
import { type OpReference, references } from '../testing/references/index.js'
import { trace } from '../trace.js'
import { fromOnnx } from './decode.js'
import { toOnnx } from './encode.js'
import { decodeModel } from './read-protobuf.js'

const ops = Object.entries(references) as [OpName, OpReference][]

const optimizedProgram = (...parameters: Parameters<typeof programOf>) => optimize(programOf(...parameters))

async function run(program: Program, host: readonly HostTensor[]): Promise<HostTensor> {
  const executable = await compile(program, { threads: 1 })
  try {
    return (await executable.run(feeds(host))).y!
  } finally {
    executable.release()
  }
}

/** The model as it is in the file, run by ONNX Runtime. */
async function runFile(bytes: Uint8Array, host: readonly HostTensor[], like: HostTensor): Promise<HostTensor> {
  const session = await (await nativeRuntime()).createSession(bytes, { threads: 1 })
  const y = { ...like, data: like.data.slice() as typeof like.data }
  const bound = session.bind(feeds(host), { y })
  try {
    await bound.run()
  } finally {
    bound.release()
    session.release()
  }
  return y
}

describe.each(ops)('%s', (op, reference) => {
  it('is the same program after a file, and computes the same bits', async () => {
    for (const opCase of reference.cases) {
      const host = inputsOf(reference, opCase, 7).host
      const program = optimizedProgram(op, host, opCase)
      const bytes = toOnnx(program, { annotated: true })
      const read = fromOnnx(bytes).program
      expect(toOnnx(read, { annotated: true }).byteLength).toBe(bytes.byteLength)
      expect((await run(read, host)).data).toEqual((await run(program, host)).data)
    }
  })

  it("in ONNX's own operators computes the same numbers", async () => {
    for (const opCase of reference.cases.slice(0, 3)) {
      const host = inputsOf(reference, opCase, 7).host
      const program = optimizedProgram(op, host, opCase)
      const bytes = toOnnx(program, { annotated: true, target: 'portable' })
      expect(decodeModel(bytes).graph.nodes.filter(({ domain }) => domain !== '')).toEqual([])
      const expected = await run(program, host)
      const got = await runFile(bytes, host, expected)
      const wanted = Array.from(expected.data as Float32Array, Number)
      Array.from(got.data as Float32Array, Number).forEach((value, index) => {
        expect(Math.abs(value - wanted[index]!), `${op} ${index}`).toBeLessThanOrEqual(2e-6 * (1 + Math.abs(wanted[index]!)))
      })
      expect((await run(fromOnnx(bytes).program, host)).data).toEqual(expected.data)
    }
  })
})

it.each([
  ['one token of two texts', 2, 1, [4, 1]],
  ['several tokens of one text', 1, 3, [4]],
])("attention over a cache is written out in ONNX's own operators: %s", async (_, batch, queries, last) => {
  const [heads, kvHeads, slots, dim] = [4, 2, 6, 16]
  const wave = (shape: number[], step: number): HostTensor => ({
    dtype: 'f32',
    shape,
    data: Float32Array.from({ length: sizeOf(shape) }, (_, index) => Math.sin(index * step + 1)),
  })
  const host: HostTensor[] = [
    wave([batch, queries, (heads + 2 * kvHeads) * dim], 0.7),
    wave([batch, kvHeads, slots, dim], 0.3),
    wave([batch, kvHeads, slots, dim], 0.5),
    { dtype: 'i32', shape: [batch], data: Int32Array.from(last) },
    { dtype: 'i32', shape: [1], data: Int32Array.of(Math.max(...last) + 1) },
    wave([slots, dim / 2], 1.1),
    wave([slots, dim / 2], 1.3),
  ]
  const program = optimizedProgram('cachedAttention', host, { shapes: [] })
  const expected = await run(program, host)
  const got = await runFile(toOnnx(program, { target: 'portable' }), host, expected)
  ;[...(expected.data as Float32Array)].forEach((value, index) => {
    expect(Number(got.data[index])).toBeCloseTo(value, 4)
  })
})

const sample = () =>
  toOnnx(
    optimize(
      trace({ x: { shape: ['batch', 4] } }, ({ x }, builder) => {
        const weight = builder.constant([1, 2, 3, 4, 5, 6, 7, 8], [4, 2])
        const h = x.matmul(weight).silu().softmax()
        return { y: h, z: h.add(Number.POSITIVE_INFINITY), again: h }
      }),
    ),
    { annotated: true, doc: 'a sample', metadata: { author: 'me' } },
  )

it('keeps symbolic sizes, further names, the comment and metadata', () => {
  const { program, doc, metadata } = fromOnnx(sample())
  expect(program.values[program.inputs[0]!.value]!.shape).toEqual(['batch', 4])
  expect(program.outputs.map(({ name }) => name)).toEqual(['y', 'z', 'again'])
  expect([doc, metadata.author]).toEqual(['a sample', 'me'])
})

it('says by which version it was made', async () => {
  const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
  expect(Buffer.from(sample()).includes(version)).toBe(true)
})

it('a model of someone else is refused with all its operators in one message', () => {
  const program = trace({ x: { shape: [2] } }, ({ x }) => ({ y: x.exp().add(1).silu() }))
  expect(() => fromOnnx(toOnnx(program))).toThrow(/stand for: Add, Exp, com\.microsoft\.QuickGelu/)
})

it('a node that was changed after it was written is found', () => {
  const bytes = sample()
  const text = Buffer.from(bytes).toString('latin1')
  const changed = Buffer.from(text.replace('"axis":-1', '"axis":-2'), 'latin1')
  expect(() => fromOnnx(changed)).toThrow(/was changed after it was written/)
})

describe('a damaged file', () => {
  const runs = process.env.ENIGMA_SOAK ? 10_000 : 500
  const survives = (bytes: Uint8Array) => {
    try {
      fromOnnx(bytes)
    } catch (error) {
      if (!(error instanceof TensorError)) throw error
      expect(['FILE_CORRUPT', 'UNSUPPORTED_OP']).toContain(error.code)
    }
  }

  it('cut anywhere is refused', () => {
    const bytes = sample()
    for (let length = 0; length < bytes.length; length++) survives(bytes.subarray(0, length))
  })

  it('with random bytes gives a typed error or a program, nothing else', () => {
    const bytes = sample()
    const flips = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(flips, (changes) => {
        const damaged = bytes.slice()
        for (const [at, value] of changes) damaged[at] = value
        survives(damaged)
      }),
      { numRuns: runs },
    )
  })

  it('of noise is refused', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), survives), { numRuns: runs })
  })
})
