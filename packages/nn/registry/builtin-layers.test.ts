import { describe, expect, it } from 'vitest'
import { builtinLayers, Layer, type LayerConfig, nn, PipelineBuilder } from '../index.js'

/** A configuration for each built-in type, and a sample it takes; [4] and {} where nothing is said. */
const examples: Record<string, { readonly config?: LayerConfig; readonly input?: readonly number[]; readonly dtype?: 'i64' }> = {
  linear: { config: { outFeatures: 3 } },
  conv2d: { config: { outChannels: 2, kernel_size: '3', padding: 'same' }, input: [3, 5, 4] },
  embedding: { config: { numEmbeddings: 5, embeddingDim: 3 }, dtype: 'i64' },
  swiglu: { config: { hidden: 6 } },
  sequential: { config: { layers: ['relu'] } },
  residual: { config: { layers: ['relu'] } },
  parallel: { config: { branches: [['relu'], []] } },
}

/** Layers that take more than one tensor, so that no pipeline of configurations can hold them. */
const notUnary: readonly string[] = ['GroupedQueryAttention']

const registry = builtinLayers()
const types = registry.listLayers()

describe('the built-in layer types', () => {
  it.each(types.map(({ type }) => type))('%s is built from its configuration and gives what it says', (type) => {
    const { config = {}, input = [4], dtype = 'f32' } = examples[type] ?? {}
    const pipeline = new PipelineBuilder(registry).withSeed(1).addLayer(type, config).build({ input, dtype })
    expect(pipeline.stages[0]!.made!.type).toBe(type)
  })

  it('are all the layers of one tensor that there are', () => {
    const made = types.map(({ type }) => {
      const { config = {}, input = [4], dtype = 'f32' } = examples[type] ?? {}
      return new PipelineBuilder(registry).addLayer(type, config).build({ input, dtype }).layers[0]!.constructor.name
    })
    const classes = Object.entries(nn).flatMap(([name, value]) =>
      typeof value === 'function' && value.prototype instanceof Layer ? [name] : [],
    )
    expect(classes.filter((name) => !made.includes(name) && !notUnary.includes(name))).toEqual([])
  })

  it('have a description, and say what each parameter is', () => {
    for (const { description, displayName, parameters = {} } of types) {
      expect(description.length).toBeGreaterThan(8)
      expect(displayName).not.toBe('')
      for (const parameter of Object.values(parameters)) expect(parameter.description.length).toBeGreaterThan(5)
    }
  })
})
