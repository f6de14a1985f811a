import { evaluate, type Tensor, trace } from '@enigma/tensor'
import { describe, expect, it } from 'vitest'
import { builtinLayers, Layer, nn, Pipeline, PipelineBuilder, traceNetwork } from '../index.js'

const registry = builtinLayers()
const perceptron = () =>
  new PipelineBuilder(registry)
    .withName('my_model')
    .withSeed(1)
    .addLayer('linear', { out_features: '8' })
    .addLayer('tanh')
    .addLayer('linear', { outFeatures: 3 })

const run = async (net: Layer & { forward(x: Tensor): Tensor }, x: readonly number[], shape: readonly number[]) => {
  const { program, parameters } = traceNetwork({ x: { shape } }, (inputs) => ({ y: net.forward(inputs.x) }))
  const { y } = await evaluate(program, { x, ...parameters })
  return [...(y!.data as Float32Array)]
}

/** Forgets the batch: [batch, n] → [batch · n]. */
class Mixup extends Layer {
  override forward(x: Tensor): Tensor {
    return x.reshape([-1])
  }
}

describe('a pipeline', () => {
  it('is a Sequential with a name, its sizes found from the shape', () => {
    const net = perceptron().build({ input: [4] })
    expect(net).toBeInstanceOf(nn.Sequential)
    expect(net.name).toBe('my_model')
    expect(net.outputShape).toEqual([3])
    expect([...net.namedParameters()].map(([name, { shape }]) => [name, shape])).toEqual([
      ['0.weight', [8, 4]],
      ['0.bias', [8]],
      ['2.weight', [3, 8]],
      ['2.bias', [3]],
    ])
  })

  it('computes what its layers compute', async () => {
    const net = perceptron().build({ input: [4] })
    const [first, , second] = net.layers as nn.Linear[]
    const same = new nn.Sequential(first!, new nn.Tanh(), second!)
    const x = [0.1, -2, 3, 0.5]
    expect(await run(net, x, [1, 4])).toEqual(await run(same, x, [1, 4]))
  })

  it('repeats its weights with a seed, and not without', () => {
    const weights = (builder: PipelineBuilder) =>
      builder
        .build({ input: [4] })
        .parameters()
        .map(({ data }) => [...data])
    expect(weights(perceptron())).toEqual(weights(perceptron()))
    const other = () => new PipelineBuilder(registry).addLayer('linear', { outFeatures: 8 })
    expect(weights(other())).not.toEqual(weights(other()))
    const [first, , second] = new PipelineBuilder(registry)
      .withSeed(1)
      .addLayer('linear', { outFeatures: 4 })
      .addLayer('tanh')
      .addLayer('linear', { outFeatures: 4 })
      .build({ input: [4] }).layers as nn.Linear[]
    expect(first!.weight.data).not.toEqual(second!.weight.data)
  })

  it('takes layers made by hand too', () => {
    const net = perceptron()
      .add(new nn.ReLU())
      .build({ input: [4] })
    expect(net.layers).toHaveLength(4)
    expect(() => net.toConfig()).toThrow("Pipeline 'my_model', stage 3 (ReLU) was added as an object. Register its type")
  })

  it('names the stage that does not fit: index, type, shapes, and what it takes', () => {
    const wrong = () =>
      perceptron()
        .addLayer('linear', { inFeatures: 5, outFeatures: 1 })
        .build({ input: [7, 4] })
    expect(wrong).toThrow(
      expect.objectContaining({
        code: 'STAGE_FAILED',
        message: expect.stringContaining(
          "Pipeline 'my_model', stage 3 (linear), which is given [batch, 7, 3]: it takes samples of [..., inFeatures = 5]. Change its parameters, or the stage before it.",
        ),
      }),
    )
  })

  it('names a layer made by hand that does not fit, with the reason', () => {
    const wrong = () =>
      new PipelineBuilder(registry)
        .addLayer('relu')
        .add(new nn.Linear(3, 1))
        .build({ input: [4] })
    expect(wrong).toThrow(
      /Pipeline 'pipeline', stage 1 \(Linear\), which is given \[batch, 4\]: matmul: inner sizes 4 and 3 differ/,
    )
    const lost = () => new PipelineBuilder(registry).add(new Mixup()).build({ input: [4] })
    expect(lost).toThrow(/stage 0 \(Mixup\).*it gives \[8\] for a batch of 2: the first dimension must stay the batch/)
  })

  it('names a stage inside of stages', () => {
    const layers = [{ residual: ['relu', { parallel: [['tanh'], [{ linear: { outFeatures: 'x' } }]] }] }]
    expect(() => Pipeline.fromConfig({ name: 'deep', input: [4], layers }, registry)).toThrow(
      /^Pipeline 'deep', stage 0\.layers\.1\.branches\.1\.0 \(linear\), which is given \[batch, 4\]: Layer 'linear': 'outFeatures' must be a whole number/,
    )
    expect(() => Pipeline.fromConfig({ input: [4], layers: [{ residual: [{ linear: { outFeatures: 5 } }] }] }, registry)).toThrow(
      /stage 0 \(residual\).*the body makes \[2, 5\] of \[2, 4\]/,
    )
  })

  it('finds a layer that does not give what its metadata says', () => {
    const own = builtinLayers()
    const metadata = { displayName: 'Half', description: 'halves the size', category: 'Layer', parameters: {} } as const
    own.register({ type: 'half', ...metadata, inputShape: ['n'], outputShape: [2] }, () => new nn.ReLU())
    const build = (input: number[]) => () => new PipelineBuilder(own).addLayer('half').build({ input })
    expect(build([4])).toThrow(/it says that it gives \[2\], and gives \[4\]/)
    expect(build([2, 2])).toThrow(/it takes samples of \[n\]/)
    expect(build([2])).not.toThrow()
  })
})

describe('a pipeline as configuration', () => {
  const yaml = `
name: gated
input: [4]
seed: 3
layers:
  - linear: { out_features: 6 }
  - relu
  - residual: [linear: { out_features: 6 }, tanh]
  - { type: parallel, join: mul, branches: [[{ linear: { out_features: 2 } }], [{ linear: { out_features: 2 } }, sigmoid]] }
`

  it('is read from YAML', async () => {
    const net = Pipeline.fromYaml(yaml, registry)
    expect(net.name).toBe('gated')
    expect(net.outputShape).toEqual([2])
    expect([...net.namedParameters()].map(([name]) => name)).toContain('3.branches.1.0.weight')
    expect((await run(net, [1, 2, 3, 4], [1, 4])).every(Number.isFinite)).toBe(true)
  })

  it('comes back from what it wrote, the same weights included where it has a seed', async () => {
    const net = Pipeline.fromYaml(yaml, registry)
    const again = Pipeline.fromYaml(net.toYaml(), registry)
    expect(again.toConfig()).toEqual(net.toConfig())
    expect(net.toConfig().layers[0]).toEqual({ type: 'linear', inFeatures: 4, outFeatures: 6, bias: true })
    const x = [0.5, -1, 2, 0]
    expect(await run(again, x, [1, 4])).toEqual(await run(net, x, [1, 4]))
  })

  it('says what is wrong with a file that is no pipeline', () => {
    const read = (text: string) => () => Pipeline.fromYaml(text, registry)
    expect(read('a: [')).toThrow(/The pipeline is no YAML/)
    expect(read('just words')).toThrow(/must hold `input`/)
    expect(read('layers: []')).toThrow(/needs `input`, the sizes of one sample/)
    expect(read('input: [3]')).toThrow(/needs `layers`, a list/)
    expect(read('{ input: [3], layers: [], color: red }')).toThrow(/has color, which it does not know/)
    expect(read('{ input: [3], layers: [relu, 5] }')).toThrow(/stage 1 \(5\).*Write a name/)
    expect(read('{ input: [3], layers: [null] }')).toThrow(/stage 0 \(null\).*Write a name/)
    expect(read('{ input: [3], layers: [{ linear: 5 }] }')).toThrow(/'linear' takes its parameters by name, got 5/)
    expect(read('{ input: [3], layers: [{ relu: null, tanh: null }] }')).toThrow(/Write a name/)
    expect(read('{ input: [3], layers: [liner] }')).toThrow(/stage 0 \(liner\).*Did you mean 'linear'\?/)
  })

  it('tells its stages, shapes and parameters', () => {
    expect(Pipeline.fromYaml(yaml, registry).describe()).toBe(
      [
        'gated: [4] → [2]',
        '   layer     output  parameters',
        '0  linear    [6]             30',
        '1  relu      [6]              0',
        '2  residual  [6]             42',
        '3  parallel  [2]             28',
      ].join('\n'),
    )
  })

  it('without layers gives what it is given', () => {
    const net = Pipeline.fromConfig({ input: [2, 3], layers: [] }, registry)
    expect(net.outputShape).toEqual([2, 3])
    const program = trace({ x: { shape: [1, 2, 3] } }, ({ x }) => ({ y: net.forward(x).add(0) }))
    expect(program.nodes).toHaveLength(1)
  })
})
