import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { evaluate, type Tensor, tensor } from '@enigma/tensor'
import { writeSafetensors } from '@enigma/tensor/formats'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { loadWeights, nn, saveWeights, traceNetwork } from './index.js'
import { Layer } from './layer.js'
import { LayerBuffer } from './layer-buffer.js'
import { Parameter } from './parameter.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'enigma-weights-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** PyTorch's BatchNorm1d in evaluation, by its formula: parameters, float buffers and a counter. */
class Norm extends Layer {
  readonly weight = new Parameter([4])
  readonly bias = new Parameter([4])
  readonly running_mean = new LayerBuffer([4])
  readonly running_var = new LayerBuffer([4])
  readonly num_batches_tracked = new LayerBuffer([], 'i64')

  override forward(x: Tensor): Tensor {
    const scale = x.builder.lift(this.running_var).add(1e-5).sqrt().reciprocal()
    return x.sub(this.running_mean).mul(scale).mul(this.weight).add(this.bias)
  }
}
const network = () => new nn.Sequential(new nn.Linear(3, 4), new nn.ReLU(), new Norm(), new nn.Linear(4, 2))
const golden = (name: string) => fileURLToPath(new URL(`../golden/${name}`, import.meta.url))

async function predict(net: nn.Sequential, x: readonly number[]): Promise<number[]> {
  const traced = traceNetwork({ x: { shape: [x.length / 3, 3] } }, ({ x }) => ({ y: net.forward(x) }))
  const { y } = await evaluate(traced.program, { ...traced.parameters, ...traced.buffers, x })
  return [...(y!.data as Float32Array)]
}

it.each([
  ['weights.safetensors', 6],
  ['weights-bf16.safetensors', 1],
])('a file of safetensors.torch gives the outputs of the PyTorch network: %s', async (file, digits) => {
  const { x, y } = JSON.parse(await readFile(golden('weights.json'), 'utf8')) as { x: number[]; y: number[] }
  const net = network()
  await loadWeights(net, golden(file))
  expect(Number((net.layers[2] as Norm).num_batches_tracked.data[0])).toBe(1)
  const outputs = await predict(net, x)
  y.forEach((value, index) => {
    expect(outputs[index]).toBeCloseTo(value, digits)
  })
})

it('what is saved is loaded bit by bit, and is what PyTorch wrote', async () => {
  const [net, copy] = [network(), network()]
  await loadWeights(net, golden('weights.safetensors'))
  const file = join(folder, 'net.safetensors')
  await saveWeights(net, file)
  await loadWeights(copy, file)
  for (const [name, { data }] of Object.entries(net.stateDict()))
    expect([name, copy.stateDict()[name]!.data]).toEqual([name, data])
})

it('what does not fit is named, and changes nothing', async () => {
  const file = join(folder, 'other.safetensors')
  await writeSafetensors(file, { weight: tensor([1, 2], [1, 2]), more: tensor([1]) })
  const layer = new nn.Linear(2, 1, { seed: 1 })
  const before = layer.weight.data.slice()
  await expect(loadWeights(layer, file)).rejects.toMatchObject({
    code: 'STATE_MISMATCH',
    message: /missing bias; unexpected more/,
  })
  expect(layer.weight.data).toEqual(before)
  await loadWeights(layer, file, { strict: false })
  expect([...layer.weight.data]).toEqual([1, 2])
  await expect(loadWeights(layer, join(folder, 'none'))).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' })
})
