import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type HostTensor, sizeOf, type Tensor, tensor, toOnnx, trace } from '@enigma/tensor'
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { importOnnx, Layer, losses, nn, optim } from '../index.js'
import { checkModel } from '../testing/check-model.js'
import { exportOnnx } from './export-onnx.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'enigma-onnx-'))
})
afterAll(() => rm(folder, { recursive: true }))

const numbers = (shape: readonly number[], scale = 1): HostTensor =>
  tensor(
    Array.from({ length: sizeOf(shape) }, (_, index) => scale * Math.sin(1 + index * 1.7)),
    shape,
  )

/** A block of a transformer: attention over [batch, length, dim], residuals, norms, a gated feed-forward part. */
class Block extends Layer {
  readonly norm1 = new nn.LayerNorm(16)
  readonly attention = new nn.MultiheadAttention(16, 4, { batchFirst: true, seed: 1 })
  readonly norm2 = new nn.RMSNorm(16)
  readonly up = new nn.Linear(16, 32, { seed: 2 })
  readonly down = new nn.Linear(32, 16, { seed: 3 })

  override forward(x: Tensor): Tensor {
    const h = this.norm1.forward(x)
    const mixed = x.add(this.attention.forward(h, h, h))
    return mixed.add(this.down.forward(this.up.forward(this.norm2.forward(mixed)).silu()))
  }
}

class Sequence extends Layer {
  readonly lstm = new nn.LSTM(3, 5, { batchFirst: true, seed: 1 })
  readonly head = new nn.Linear(5, 2, { seed: 2 })

  override forward(x: Tensor): Tensor {
    return this.head.forward(this.lstm.forward(x))
  }
}

const networks = {
  perceptron: {
    net: () =>
      new nn.Sequential(new nn.Linear(6, 8, { seed: 1 }), new nn.ReLU(), new nn.Dropout(0.5), new nn.Linear(8, 3, { seed: 2 })),
    shape: [4, 6],
    batch: 'batch',
  },
  convolution: {
    net: () =>
      new nn.Sequential(
        new nn.Conv2d(3, 4, 3, { padding: 1, seed: 1 }),
        new nn.BatchNorm2d(4),
        new nn.ReLU(),
        new nn.Conv2d(4, 2, 3),
      ),
    shape: [2, 3, 8, 8],
    batch: 'batch',
  },
  transformer: { net: () => new Block(), shape: [2, 5, 16], batch: 'batch' },
  recurrent: { net: () => new Sequence(), shape: [2, 4, 3], batch: 2 },
} as const

const run = async (source: Uint8Array | string, feeds: Record<string, HostTensor>, output = 'output') => {
  const session = await (typeof source === 'string' ? InferenceSession.create(source) : InferenceSession.create(source))
  try {
    const tensors = Object.entries(feeds).map(([name, { data, shape }]) => {
      return [name, new OrtTensor('float32', data as Float32Array, shape)] as const
    })
    const result = (await session.run(Object.fromEntries(tensors)))[output]!
    return { shape: result.dims, data: result.data as Float32Array }
  } finally {
    await session.release()
  }
}

const expectClose = (got: ArrayLike<number>, wanted: ArrayLike<number>, tolerance: number) => {
  expect(got.length).toBe(wanted.length)
  for (let index = 0; index < wanted.length; index++)
    expect(Math.abs(got[index]! - wanted[index]!)).toBeLessThan(tolerance * (1 + Math.abs(wanted[index]!)))
}

describe.each(Object.entries(networks))('the file of a %s network', (name, { net: make, shape, batch }) => {
  it('gives the same outputs in a plain onnxruntime session', async () => {
    const net = make()
    const file = join(folder, `${name}.onnx`)
    const { inputs, outputs } = await net.toOnnx(file, { inputs: { x: { shape } } })
    expect(inputs.x!.shape[0]).toBe(batch)
    expect(outputs.output!.shape[0]).toBe(batch)
    const bytes = await readFile(file)
    const sizes = batch === 'batch' ? [shape[0], 1, 7] : [shape[0]]
    for (const size of sizes) {
      const x = numbers([size, ...shape.slice(1)])
      const expected = await net.predict(x)
      const got = await run(bytes, { x })
      expect(got.shape).toEqual(expected.shape)
      expectClose(got.data, expected.data as Float32Array, 1e-5)
    }
    await net.release()
  })

  it('is what the onnx checker checks: topological order, unique names, known operators and attributes', async () => {
    const { bytes } = exportOnnx(make(), { inputs: { x: { shape } } })
    expect(checkModel(bytes)).toEqual([])
  })

  it('is read back as a network with the same weights and outputs', async () => {
    const net = make()
    const x = numbers(shape)
    const { bytes } = exportOnnx(net, { inputs: { x: { shape } }, target: 'onnxruntime' })
    const read = await importOnnx(bytes)
    const used = new Set(read.stateDict() && Object.keys(read.stateDict()))
    const state = net.stateDict()
    expect([...used].filter((key) => !(key in state))).toEqual([])
    for (const key of used) expect(read.stateDict()[key]!.data).toEqual(state[key]!.data)
    expect([...read.namedBuffers()].map(([key]) => key)).toEqual(
      [...net.namedBuffers()].map(([key]) => key).filter((key) => used.has(key)),
    )
    expect((await read.predict(x)).data).toEqual((await net.predict(x)).data)
    await Promise.all([net.release(), read.release()])
  })
})

it('a network that was read can be trained on', async () => {
  const net = networks.perceptron.net()
  const read = await importOnnx(exportOnnx(net, { inputs: { x: { shape: [1, 6] } } }).bytes)
  const step = await read.compileStep({ loss: losses.mse, optimizer: optim.adamw({ lr: 0.05 }), threads: 1, spin: false })
  const batch = { x: numbers([8, 6]), y: numbers([8, 3], 0.5) }
  const first = (await step(batch)).loss
  let last = first
  for (let index = 0; index < 60; index++) last = (await step(batch)).loss
  expect(last).toBeLessThan(first / 10)
  await step.close()
})

describe('weights in a file of their own', () => {
  const x = numbers([2, 3, 8, 8])
  const net = new nn.Sequential(
    new nn.Conv2d(3, 32, 3, { seed: 1 }),
    new nn.BatchNorm2d(32),
    new nn.Flatten(),
    new nn.Linear(1152, 5),
  )
  const write = async (name: string) => {
    const file = join(folder, name)
    await net.toOnnx(file, { inputs: { x: { shape: [1, 3, 8, 8] } }, externalData: true })
    return file
  }

  it('are found by a plain onnxruntime session and by importOnnx, bit for bit', async () => {
    const file = await write('two.onnx')
    const [model, weights] = await Promise.all([readFile(file), readFile(`${file}.data`)])
    expect(model.byteLength).toBeLessThan(8192)
    expect(weights.byteLength).toBeGreaterThan(4 * (3 * 32 * 9 + 1152 * 5))
    const expected = (await net.predict(x)).data as Float32Array
    expectClose((await run(file, { x })).data, expected, 1e-5)
    const read = await importOnnx(file)
    for (const [name, { data }] of Object.entries(read.stateDict())) expect(data, name).toEqual(net.stateDict()[name]!.data)
    expectClose((await read.predict(x)).data as Float32Array, expected, 1e-6)
    await Promise.all([net.release(), read.release()])
  })

  it('that are missing, cut off or out of reach are told by name', async () => {
    const file = await write('broken.onnx')
    const bytes = await readFile(file)
    await expect(importOnnx(bytes)).rejects.toThrow(
      /weights lie in a file of their own, 'broken.onnx.data': give the model's path/,
    )
    await truncate(`${file}.data`, 5000)
    await expect(importOnnx(file)).rejects.toMatchObject({ code: 'FILE_TRUNCATED', message: /broken.onnx.data has 5000 bytes/ })
    await rm(`${file}.data`)
    await expect(importOnnx(file)).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' })
    const elsewhere = Buffer.from(bytes.toString('latin1').replaceAll('broken.onnx.data', '../../etc/passwd'), 'latin1')
    await writeFile(file, elsewhere)
    await expect(importOnnx(file)).rejects.toMatchObject({ code: 'FILE_CORRUPT', message: /no place in a file beside it/ })
  })

  it('are the fix that is named where one file cannot hold them', () => {
    const shape = [2 ** 15, 2 ** 15]
    const program = trace({ x: { shape } }, ({ x }) => ({ y: x.add(x.builder.constant([1], [1])) }))
    const { value } = program.constants[0]!
    const values = program.values.map((one, id) => (id === value ? { ...one, shape } : one))
    expect(() => toOnnx({ ...program, values })).toThrow(
      /constants take 4\.0 GiB \(4294967296 bytes\); one ONNX file holds 2 GiB\. .* net\.toOnnx\(file\)/,
    )
  })
})

it('without inputs takes those of the last prediction', async () => {
  const net = networks.perceptron.net()
  const file = join(folder, 'last.onnx')
  await expect(net.toOnnx(file)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message: /inputs: \{ x:/ })
  const x = numbers([3, 6])
  const expected = await net.predict(x)
  await net.toOnnx(file)
  expectClose((await run(await readFile(file), { x })).data, expected.data as Float32Array, 1e-6)
  await net.release()
})

it('several inputs and outputs, free sizes, names and a comment are as asked for', async () => {
  const net = new nn.Linear(4, 2, { seed: 1 })
  const exported = exportOnnx(net, {
    inputs: { left: { shape: ['n', 4] }, right: { shape: ['n', 4] } },
    forward: ({ left, right }) => ({ both: net.forward(left!.add(right!)), one: net.forward(left!) }),
    batch: false,
    doc: 'two',
    opset: 20,
  })
  expect(exported.inputs.left!.shape).toEqual(['n', 4])
  const [left, right] = [numbers([3, 4]), numbers([3, 4], 2)]
  const { data, shape } = await run(exported.bytes, { left, right }, 'one')
  expect(shape).toEqual([3, 2])
  expectClose(data, (await net.predict(left)).data as Float32Array, 1e-6)
  const read = await importOnnx(exported.bytes)
  expect([read.inputs, read.outputs]).toEqual([
    ['left', 'right'],
    ['both', 'one'],
  ])
  await net.release()
})

it('says what hinders: a fixed size under a batch name that was asked for, a weight of the same name, an unknown operator set', async () => {
  const sequence = new Sequence()
  const inputs = { x: { shape: [2, 4, 3] } }
  expect(() => exportOnnx(sequence, { inputs, batch: 'n' })).toThrow(/'n' is known only when the program runs/)
  const layer = new nn.Linear(2, 2)
  expect(() => exportOnnx(layer, { inputs: { weight: { shape: [1, 2] } } })).toThrow(/'weight' is a weight of the network/)
  expect(() => exportOnnx(layer, { inputs: { x: { shape: [1, 2] } }, opset: 7 })).toThrow(/opset must be one of 18, 19/)
  await expect(layer.toOnnx(join(folder, 'no', 'folder.onnx'), { inputs: { x: { shape: [1, 2] } } })).rejects.toMatchObject({
    code: 'WRITE_FAILED',
  })
  expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([])
  await expect(importOnnx(join(folder, 'none.onnx'))).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' })
})

it('a fused operator is only in files that may have them', () => {
  const program = trace({ x: { shape: [2, 3, 4] } }, ({ x }) => ({ y: x.matmul(x, { transB: true }) }))
  expect(program.nodes.map(({ op }) => op)).toEqual(['matmul'])
  const net = new Block()
  const text = (target: 'portable' | 'onnxruntime') =>
    Buffer.from(exportOnnx(net, { inputs: { x: { shape: [1, 2, 16] } }, target }).bytes).includes('com.microsoft')
  expect([text('portable'), text('onnxruntime')]).toEqual([false, true])
})
