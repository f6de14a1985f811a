import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { blockSize } from '../../block-size.js'
import { compile } from '../../compile.js'
import { type HostTensor, sizeOf } from '../../dtype.js'
import { batchNorm, conv2d } from '../../functional/index.js'
import { grad } from '../../grad.js'
import { toOnnx } from '../../onnx/encode.js'
import type { Program } from '../../program.js'
import { nativeRuntime } from '../../runtime/index.js'
import type { Tensor } from '../../tensor.js'
import { trace } from '../../trace.js'
import { optimize } from '../index.js'
import { blockLayout } from './index.js'

const block = await blockSize(await nativeRuntime())

/** Numbers in [-1, 1] that do not repeat along any dimension. */
const noise = (shape: readonly number[], seed: number): HostTensor => {
  let state = seed * 7919 + 1
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 31 - 1
  }
  return { dtype: 'f32', shape, data: Float32Array.from({ length: sizeOf(shape) }, next) }
}

const feedsOf = (program: Program) =>
  Object.fromEntries(
    program.inputs.map(({ name, value }, index) => [name, noise(program.values[value]!.shape as number[], index)]),
  )

async function run(program: Program, blockedLayout: boolean) {
  const executable = await compile(program, { threads: 1, spin: false, blockedLayout })
  try {
    return await executable.run(feedsOf(program))
  } finally {
    executable.release()
  }
}

function difference(a: HostTensor, b: HostTensor): number {
  let [distance, size] = [0, 0]
  for (let i = 0; i < b.data.length; i++) {
    distance += ((a.data[i] as number) - (b.data[i] as number)) ** 2
    size += (b.data[i] as number) ** 2
  }
  return Math.sqrt(distance) / Math.max(Math.sqrt(size), 1e-6)
}

async function expectSame(program: Program, tolerance = 1e-5) {
  const [plain, blocked] = [await run(program, false), await run(program, true)]
  for (const [name, tensor] of Object.entries(plain)) {
    expect(blocked[name]!.shape, name).toEqual(tensor.shape)
    expect(difference(blocked[name]!, tensor), name).toBeLessThan(tolerance)
  }
}

const ops = (program: Program) => program.nodes.map(({ op }) => op)
const count = (program: Program, op: string) => ops(program).filter((name) => name === op).length

type Stage = (x: Tensor, parameter: (shape: readonly number[]) => Tensor, other: Tensor) => Tensor

/** A network of stages over x [batch, channels, size, size] and its gradients by x and every parameter. */
function network(shape: readonly [number, number, number, number], stages: readonly Stage[]): Program {
  let parameters: (readonly number[])[] = []
  const build = (given?: Readonly<Record<string, Tensor>>) => (x: Tensor) => {
    const wanted: (readonly number[])[] = []
    const parameter = (size: readonly number[]) => {
      wanted.push(size)
      return given?.[`p${wanted.length - 1}`] ?? x.builder.constant(noise(size, 5).data, size)
    }
    let previous = x
    const y = stages.reduce((value, stage) => {
      const next = stage(value, parameter, previous)
      previous = value
      return next
    }, x)
    parameters = wanted
    return y.mul(y).mean([2, 3]).sum()
  }
  trace({ x: { shape } }, ({ x }) => ({ loss: build()(x) }))
  const specs = Object.fromEntries(parameters.map((size, index) => [`p${index}`, { shape: size }]))
  const forward = trace<string>({ x: { shape }, ...specs }, ({ x, ...rest }) => ({
    loss: build(rest as Record<string, Tensor>)(x!),
  }))
  return grad(forward, { of: 'loss', wrt: ['x', ...Object.keys(specs)] })
}

const channels = (x: Tensor) => x.shape[1] as number

const conv = (
  outputs: number,
  kernel: number,
  options: { stride?: number; padding?: number; dilation?: number; bias?: boolean },
): Stage => {
  const { bias = false, ...settings } = options
  return (x, parameter) => {
    const weight = parameter([outputs, channels(x), kernel, kernel]).mul(1 / (kernel * Math.sqrt(channels(x))))
    return conv2d(x, weight, bias ? parameter([outputs]) : undefined, settings)
  }
}
const norm: Stage = (x, parameter) => batchNorm(x, { weight: parameter([channels(x)]), bias: parameter([channels(x)]) }).output
/** A norm that does not hide what is before it: a bias before a mere norm has no gradient, only rounding. */
const softNorm: Stage = (x, parameter, other) => norm(x, parameter, other).add(x.mul(0.3))
const tanh: Stage = (x) => x.tanh()
const relu: Stage = (x) => x.relu()
const swish: Stage = (x) => x.silu()
const scale: Stage = (x, parameter) => x.mul(parameter([channels(x), 1, 1])).add(0.1)
const residual: Stage = (x, _parameter, other) => (other.shape.join() === x.shape.join() ? x.add(other) : x)
const gate: Stage = (x) => x.mul(x.mean([2, 3], { keepDims: true }).sigmoid())
const select: Stage = (x) => x.greater(0.1).where(x, x.mul(0.5))

const stages = fc.oneof(
  fc.record({
    outputs: fc.constantFrom(block, 2 * block, 24, 5),
    kernel: fc.integer({ min: 1, max: 3 }),
    stride: fc.integer({ min: 1, max: 2 }),
    padding: fc.integer({ min: 0, max: 2 }),
    dilation: fc.integer({ min: 1, max: 2 }),
    bias: fc.boolean(),
  }),
  fc.constantFrom('norm', 'tanh', 'swish', 'scale', 'residual', 'gate'),
)
const named: Readonly<Record<string, Stage>> = { norm: softNorm, tanh, swish, scale, residual, gate }

describe.skipIf(block === 0)('the layout in blocks', () => {
  // Deep random networks amplify rounding: a wrong kernel shows as 1e-1 and more.
  it('gives the results and gradients of the plain layout, in random networks', async () => {
    const networks = fc.record({
      batch: fc.constantFrom(block, 2 * block, 3),
      inputs: fc.constantFrom(3, block, 2 * block, 20),
      size: fc.integer({ min: 9, max: 12 }),
      list: fc.array(stages, { minLength: 2, maxLength: 5 }),
    })
    await fc.assert(
      fc.asyncProperty(networks, async ({ batch, inputs, size, list }) => {
        const made = list.map((stage): Stage => {
          if (typeof stage === 'string') return named[stage]!
          return (x, parameter, other) => {
            const reach = stage.dilation * (stage.kernel - 1)
            const padding = (x.shape[2] as number) + 2 * stage.padding <= reach + 2 ? reach : stage.padding
            return conv(stage.outputs, stage.kernel, { ...stage, padding })(x, parameter, other)
          }
        })
        await expectSame(network([batch, inputs, size, size], [conv(block, 3, { padding: 1 }), ...made]), 2e-3)
      }),
      { numRuns: process.env.ENIGMA_SOAK ? 300 : 12 },
    )
  }, 300_000)

  it('gives the result and gradients of any single convolution to rounding', async () => {
    const settings = fc.record({
      batch: fc.constantFrom(block, 2 * block, 4 * block, 3),
      inputs: fc.constantFrom(1, 3, block, 3 * block, 20),
      outputs: fc.constantFrom(block, 2 * block, 5),
      size: fc.tuple(fc.integer({ min: 5, max: 9 }), fc.integer({ min: 5, max: 9 })),
      kernel: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
      stride: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
      padding: fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 2 })),
      dilation: fc.tuple(fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 })),
    })
    await fc.assert(
      fc.asyncProperty(settings, async ({ batch, inputs, outputs, size, kernel, ...options }) => {
        const specs = {
          x: { shape: [batch, inputs, ...size] },
          w: { shape: [outputs, inputs, ...kernel] },
          b: { shape: [outputs] },
        }
        const forward = trace(specs, ({ x, w, b }) => {
          const y = conv2d(x, w, b, options)
          return { y, loss: y.mul(x.builder.constant(noise(y.shape as number[], 3).data, y.shape as number[])).sum() }
        })
        const program = grad(forward, { of: 'loss', wrt: ['x', 'w', 'b'] })
        // The loss is a sum that all but cancels.
        await expectSame({ ...program, outputs: program.outputs.filter(({ name }) => name !== 'loss') })
      }),
      { numRuns: process.env.ENIGMA_SOAK ? 400 : 20 },
    )
  }, 300_000)

  it('changes layouts only where they meet: never between convolutions, norms, additions and activations', () => {
    const chain = [conv(16, 3, { padding: 1 }), norm, relu, conv(32, 3, { stride: 2, padding: 1 }), norm, relu]
    const program = blockLayout(optimize(network([16, 3, 8, 8], chain)), 16)
    expect(count(program, 'conv') + count(program, 'convTranspose') + count(program, 'convWeightGradient')).toBe(1)
    // The gradient by the image of 3 channels has no blocks, and the image itself is cut into blocks of samples.
    expect(count(program, 'convTranspose')).toBe(1)
    expect(count(program, 'fromBlocked')).toBe(1)
    expect(count(program, 'toBlocked')).toBe(1)
  })

  it('computes norm, residual and ReLU in one kernel', async () => {
    const program = network([block, block, 8, 8], [conv(block, 3, { padding: 1 }), norm, residual, relu, scale])
    const made = blockLayout(optimize(program), block)
    expect(count(made, 'relu')).toBe(0)
    expect(
      made.nodes.some(({ op, attributes, inputs }) => op === 'blockedAffine' && attributes.relu === true && inputs.length === 4),
    ).toBe(true)
    await expectSame(program)
  })

  it('keeps decisions made from blocked numbers, such as comparisons', async () => {
    await expectSame(network([block, block, 8, 8], [conv(block, 3, { padding: 1 }), select, tanh]))
  })

  it('survives a mean far from zero: the variance is that of the distances', async () => {
    const far: Stage = (x) => x.add(300)
    await expectSame(network([block, block, 8, 8], [conv(block, 1, {}), far, norm, tanh]), 1e-3)
  })

  it('leaves alone what fits no block: groups, odd channel counts, odd batches, no convolution', async () => {
    const few = optimize(network([2, 3, 8, 8], [conv(5, 3, { padding: 1 }), tanh]))
    expect(ops(blockLayout(few, 16))).toEqual(ops(few))
    const odd = blockLayout(optimize(network([3, 16, 8, 8], [conv(16, 3, { padding: 1 }), tanh])), 16)
    expect(count(odd, 'convWeightGradient')).toBe(1)
    expect(count(odd, 'blockedConv')).toBe(1)
    const grouped = trace({ x: { shape: [16, 32, 8, 8] }, w: { shape: [32, 16, 3, 3] } }, ({ x, w }) => ({
      y: conv2d(x, w, undefined, { groups: 2 }),
    }))
    expect(ops(blockLayout(grouped, 16))).toEqual(['conv'])
    await expectSame(grouped)
  })

  it('is never written to a file: an encoded program has standard convolutions', () => {
    const bytes = Buffer.from(toOnnx(optimize(network([16, 16, 8, 8], [conv(16, 3, { padding: 1 }), norm, relu]))))
    expect(bytes.includes('nchwc')).toBe(false)
    expect(bytes.includes('ConvTranspose')).toBe(true)
  })
})
