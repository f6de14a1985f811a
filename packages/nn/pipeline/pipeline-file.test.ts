import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tensor } from '@enigma/tensor'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { builtinLayers, LayerRegistry, loadPipeline, nn, PipelineBuilder, savePipeline, saveWeights } from '../index.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'enigma-pipeline-'))
})
afterAll(() => rm(folder, { recursive: true }))

const registry = builtinLayers()

it('a saved pipeline comes back with its name, layers and weights', async () => {
  const file = join(folder, 'net.safetensors')
  const builder = new PipelineBuilder(registry).withName('my_model').addLayer('linear', { outFeatures: 3 }).addLayer('tanh')
  const net = builder.build({ input: [2] })
  await savePipeline(net, file)
  const again = await loadPipeline(file, registry)
  const x = tensor([1, 2, -3, 4], [2, 2])
  expect((await again.predict(x)).data).toEqual((await net.predict(x)).data)
  expect(again.toConfig()).toEqual(net.toConfig())
  expect(again.name).toBe('my_model')
  await Promise.all([net.release(), again.release()])
  await expect(loadPipeline(file, new LayerRegistry())).rejects.toThrow(/stage 0 \(linear\).*'linear' is not registered/)
})

it('a file with weights alone is told from a pipeline', async () => {
  const file = join(folder, 'weights.safetensors')
  await saveWeights(new nn.Linear(2, 2), file)
  await expect(loadPipeline(file, registry)).rejects.toThrow(/holds weights but no pipeline/)
})
