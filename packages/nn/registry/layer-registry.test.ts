import type { Tensor } from '@enigma/tensor'
import { describe, expect, it } from 'vitest'
import { builtinLayers, Layer, LayerRegistry, type NnError, nn } from '../index.js'

/** Multiplies by a number: a layer of somebody else. */
class Scale extends Layer {
  constructor(readonly by: number) {
    super()
  }
  override forward(x: Tensor): Tensor {
    return x.mul(this.by)
  }
}

const scale = {
  type: 'scale',
  displayName: 'Scale',
  description: 'x · by',
  category: 'Custom(Toys)',
  parameters: { by: { type: 'number', description: 'the factor', required: true, minimum: 0 } },
} as const
const withScale = () => {
  const registry = builtinLayers()
  registry.register(scale, ({ by }) => new Scale(by))
  return registry
}
const codeOf = (work: () => unknown) => {
  try {
    work()
  } catch (error) {
    return (error as NnError).code
  }
  return undefined
}

describe('a layer registry', () => {
  it('makes a layer from a configuration, whose strings are converted', () => {
    const layer = builtinLayers().create('linear', { in_features: '3', outFeatures: 2, bias: 'false' })
    expect(layer).toBeInstanceOf(nn.Linear)
    expect([...layer.namedParameters()].map(([name, { shape }]) => [name, shape])).toEqual([['weight', [2, 3]]])
  })

  it('finds types by other spellings of their names', () => {
    expect(builtinLayers().create('ReLU')).toBeInstanceOf(nn.ReLU)
    expect(withScale().getMetadata('SCALE').displayName).toBe('Scale')
  })

  it('knows only what was registered with it', () => {
    const registry = withScale()
    expect((registry.create('scale', { by: '0.5' }) as Scale).by).toBe(0.5)
    expect(builtinLayers().has('scale')).toBe(false)
    expect(new LayerRegistry().listLayers()).toEqual([])
  })

  it('lists types sorted, all of them or those of a category', () => {
    const registry = withScale()
    const types = registry.listLayers().map(({ type }) => type)
    expect(types).toEqual([...types].sort())
    expect(registry.findByCategory('Custom(Toys)').map(({ type }) => type)).toEqual(['scale'])
    expect(registry.findByCategory('Activation').map(({ type }) => type)).toContain('relu')
    expect(registry.findByCategory('Decoder').every(({ category }) => category === 'Decoder')).toBe(true)
  })

  it('refuses a type twice, an empty one, and a category that is none', () => {
    const registry = withScale()
    const again = () => registry.register(scale, ({ by }) => new Scale(by))
    expect(codeOf(again)).toBe('LAYER_TYPE_TAKEN')
    expect(again).toThrow("Layer type 'scale' is already registered (Scale)")
    expect(codeOf(() => registry.register({ ...scale, type: ' ' }, ({ by }) => new Scale(by)))).toBe('BAD_CONFIG')
    const wrong = { ...scale, type: 'other', category: 'Sound' } as unknown as typeof scale
    expect(() => registry.register(wrong, ({ by }) => new Scale(by))).toThrow(
      /category 'Sound'. There are Layer, Loss, .* Custom/,
    )
  })

  it('forgets a type, by its name or by what registering returned, and tells of both', () => {
    const told: string[] = []
    const registry = new LayerRegistry({ onChange: ({ kind, metadata }) => told.push(`${kind} ${metadata.type}`) })
    const undo = registry.register(scale, ({ by }) => new Scale(by))
    expect(registry.unregister('scale')).toBe(true)
    expect(registry.unregister('scale')).toBe(false)
    registry.register(scale, ({ by }) => new Scale(by))
    undo() // it removes its own registration only
    expect(registry.has('scale')).toBe(true)
    expect(told).toEqual(['registered scale', 'unregistered scale', 'registered scale'])
  })

  it('suggests the nearest name of a type and of a parameter', () => {
    const registry = builtinLayers()
    expect(codeOf(() => registry.create('liner'))).toBe('LAYER_TYPE_UNKNOWN')
    expect(() => registry.create('liner')).toThrow("Layer type 'liner' is not registered. Did you mean 'linear'?")
    expect(() => registry.create('linear', { inFeature: 3 })).toThrow(
      /no parameter 'inFeature'. Did you mean 'inFeatures'\? It takes/,
    )
    expect(() => new LayerRegistry().create('x')).toThrow('There are: none.')
  })

  it('names the parameter that is missing, wrong or given twice', () => {
    const registry = withScale()
    const create = (config: Record<string, string | number>) => () => registry.create('scale', config)
    expect(create({})).toThrow("Layer 'scale': 'by' is missing: the factor (a number, at least 0).")
    expect(create({ by: -1 })).toThrow("Layer 'scale': 'by' must be a number, at least 0, got -1.")
    expect(create({ by: 'much' })).toThrow('got "much"')
    expect(create({ by: '' })).toThrow('got ""')
    expect(create({ by: 1, BY: 2 })).toThrow("'by' is given twice")
    expect(codeOf(create({ by: Number.NaN }))).toBe('BAD_CONFIG')
  })

  it('names the type whose factory fails, and keeps the cause', () => {
    const registry = new LayerRegistry()
    const cause = new Error('no such file')
    registry.register({ ...scale, type: 'broken' }, () => {
      throw cause
    })
    registry.register({ ...scale, type: 'nothing' }, () => ({}) as Scale)
    expect(() => registry.create('broken', { by: 1 })).toThrow(
      expect.objectContaining({ code: 'LAYER_FAILED', message: "Layer 'broken' could not be made: no such file", cause }),
    )
    expect(() => registry.create('nothing', { by: 1 })).toThrow("The factory of 'nothing' made no layer")
  })

  it('hands the configuration over as it is where no parameters are declared', () => {
    const registry = new LayerRegistry()
    const { parameters: _, ...metadata } = scale
    registry.register(metadata, (config) => new Scale(Number(config.anything)))
    expect((registry.create('scale', { anything: '7' }) as Scale).by).toBe(7)
  })

  it('makes layers out of layers', () => {
    const layer = builtinLayers().create('residual', { layers: [{ linear: { in_features: 2, out_features: 2 } }, 'relu'] })
    expect([...layer.namedParameters()].map(([name]) => name)).toEqual(['body.0.weight', 'body.0.bias'])
  })
})
