import { describe, expect, it } from 'vitest'
import { builtinLayers, Layer, type LayerConfig, nn, PipelineBuilder } from '../index.js'

/** A configuration for each built-in type, and a sample it takes; [4] and {} where nothing is said. */
const examples: Record<string, { readonly config?: LayerConfig; readonly input?: readonly number[]; readonly dtype?: 'i64' }> = {
  linear: { config: { outFeatures: 3 } },
  conv1d: { config: { outChannels: 2, kernelSize: 3, stride: 2 }, input: [3, 9] },
  convtranspose1d: { config: { outChannels: 2, kernelSize: 3, outputPadding: 1, stride: 2 }, input: [3, 9] },
  convtranspose2d: { config: { outChannels: 2, kernelSize: [3, 2] }, input: [3, 5, 4] },
  ...Object.fromEntries(
    ['maxpool', 'avgpool', 'adaptivemaxpool', 'adaptiveavgpool'].flatMap((type) => {
      const config: LayerConfig = type.startsWith('adaptive') ? { outputSize: 2 } : { kernelSize: 2 }
      return [
        [`${type}1d`, { config, input: [3, 6] }],
        [`${type}2d`, { config, input: [3, 6, 4] }],
      ]
    }),
  ),
  flatten: { input: [2, 3] },
  unflatten: { config: { unflattenedSize: '2,2' } },
  upsample: { config: { scaleFactor: '1.5', mode: 'bilinear' }, input: [1, 4, 4] },
  pixelshuffle: { config: { upscaleFactor: 2 }, input: [4, 3, 3] },
  pixelunshuffle: { config: { downscaleFactor: 2 }, input: [1, 6, 4] },
  conv2d: { config: { outChannels: 2, kernel_size: '3', padding: 'same' }, input: [3, 5, 4] },
  embedding: { config: { numEmbeddings: 5, embeddingDim: 3 }, dtype: 'i64' },
  layernorm: { config: { normalizedShape: [2, 3] }, input: [2, 3] },
  groupnorm: { config: { numGroups: 2 }, input: [4, 3] },
  batchnorm1d: { input: [3] },
  batchnorm2d: { input: [3, 2, 2] },
  instancenorm1d: { input: [3, 2] },
  instancenorm2d: { input: [3, 2, 2] },
  lstm: { config: { hiddenSize: 3, bidirectional: true }, input: [5, 2] },
  gru: { config: { hiddenSize: 3 }, input: [5, 2] },
  multiheadattention: { config: { numHeads: 2, causal: true }, input: [5, 4] },
  transformerencoderlayer: { config: { nhead: 2, dimFeedforward: 6 }, input: [5, 4] },
  transformerencoder: { config: { numLayers: 2, nhead: 2, dimFeedforward: 6, causal: true }, input: [5, 4] },
  coherencemixer: { config: { heads: 2, discard: '0.5' }, input: [5, 8] },
  swiglu: { config: { hidden: 6 } },
  sequential: { config: { layers: ['relu'] } },
  residual: { config: { layers: ['relu'] } },
  parallel: { config: { branches: [['relu'], []] } },
}

/** Layers that take more than one tensor, so that no pipeline can hold them. */
const notUnary: readonly string[] = ['GroupedQueryAttention', 'TransformerDecoder', 'TransformerDecoderLayer']

const registry = builtinLayers()
const types = registry.listLayers()
const build = (type: string) => {
  const { config = {}, input = [4], dtype = 'f32' } = examples[type] ?? {}
  return new PipelineBuilder(registry).withSeed(1).addLayer(type, config).build({ input, dtype })
}

describe('the built-in layer types', () => {
  it.each(types.map(({ type }) => type))('%s is built from its configuration and gives what it says', (type) => {
    expect(build(type).stages[0]!.made!.type).toBe(type)
  })

  it('are all the layers of one tensor that there are', () => {
    const made = types.map(({ type }) => build(type).layers[0]!)
    const missing = Object.entries(nn).flatMap(([name, value]) =>
      typeof value === 'function' && value.prototype instanceof Layer && !made.some((layer) => layer instanceof value)
        ? [name]
        : [],
    )
    expect(missing.filter((name) => !notUnary.includes(name))).toEqual([])
  })

  it('have a description, and say what each parameter is', () => {
    for (const { description, displayName, parameters = {} } of types) {
      expect(description.length).toBeGreaterThan(8)
      expect(displayName).not.toBe('')
      for (const parameter of Object.values(parameters)) expect(parameter.description.length).toBeGreaterThan(5)
    }
  })
})
