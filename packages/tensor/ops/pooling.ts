import type { Attributes, Dims, Value } from '../program.js'
import { type AxisWeights, axisWeights, weightSpace } from './axis-weights.js'
import { defineOps, expectDtype, fixed, type Gradients, type LowerContext, shapeError } from './define.js'

/** Windows over the spatial dimensions of x [N, C, ...]; `pads` are those before each dimension, then those after each. */
interface Windows {
  readonly kernel: readonly number[]
  readonly stride: readonly number[]
  readonly pads: readonly number[]
  readonly dilation: readonly number[]
}

const windowsOf = ({ kernel, stride, pads, dilation }: Attributes): Windows => ({
  kernel: kernel as readonly number[],
  stride: stride as readonly number[],
  pads: pads as readonly number[],
  dilation: (dilation as readonly number[] | undefined) ?? (kernel as readonly number[]).map(() => 1),
})

const count = (sizes: readonly number[]) => sizes.reduce((product, size) => product * size, 1)
const spatial = (op: string, x: Value) => fixed(op, x.shape.slice(2))

/** Positions that a window covers, from the first to the last. */
const reach = ({ kernel, dilation }: Windows, axis: number) => dilation[axis]! * (kernel[axis]! - 1) + 1

function pooledShape(op: string, x: Value, windows: Windows): Dims {
  expectDtype(op, x, 'f32')
  const { kernel, stride, pads } = windows
  if (x.shape.length !== kernel.length + 2)
    throw shapeError(op, `expected ${kernel.length + 2} dimensions: batch, channels and ${kernel.length} of space`, [x.shape])
  if (x.shape.slice(1).includes(0)) throw shapeError(op, 'only the batch may be empty', [x.shape])
  const sizes = spatial(op, x).map((size, axis) => {
    const room = size + pads[axis]! + pads[axis + kernel.length]! - reach(windows, axis)
    if (room < 0) throw shapeError(op, `a window of [${kernel.join(', ')}] is larger than the padded input`, [x.shape])
    return Math.floor(room / stride[axis]!) + 1
  })
  return [...x.shape.slice(0, 2), ...sizes]
}

function lowerPool({ inputs: [x], attributes, emit }: LowerContext, onnx: string, names: string[], extra = {}): void {
  const { kernel, stride, pads } = windowsOf(attributes)
  emit(onnx, [x!.name], { kernel_shape: kernel, strides: stride, pads, ...extra }, { outputs: names })
}

/** Weights [inputs, outputs] that give each input its share of the averages along a dimension; padding has none. */
function shares(inputs: number, outputs: number, { kernel, stride, pads }: Windows, axis: number): AxisWeights {
  const weights = axisWeights(inputs, outputs)
  for (let output = 0; output < outputs; output++)
    for (let tap = 0; tap < kernel[axis]!; tap++)
      weights.add(output * stride[axis]! - pads[axis]! + tap, output, 1 / kernel[axis]!)
  return weights
}

export const pooling = defineOps({
  maxPool: {
    summary:
      'largest element of each window of x [N, C, ...], padding never being it; the gradient goes to the first of equal ones (second result: its position in all of x)',
    infer([x], attributes) {
      const shape = pooledShape('maxPool', x!, windowsOf(attributes))
      return [
        { shape, dtype: 'f32' },
        { shape, dtype: 'i64' },
      ]
    },
    vjp({ inputs: [x], outputs: [, positions], attributes, gradients: [dy] }): Gradients {
      const windows = windowsOf(attributes)
      const shape = fixed('maxPool', x!.shape)
      // Windows that do not overlap never choose the same position: nothing needs adding up.
      if (windows.stride.every((step, axis) => step >= reach(windows, axis)))
        return [x!.builder.apply('maxUnpool', [dy!, positions!], { shape })[0]]
      const zeros = x!.builder.scalar(0).broadcastTo([count(shape)])
      return [zeros.scatterAdd(-1, positions!.reshape([-1]), dy!.reshape([-1])).reshape(shape)]
    },
    lower(context) {
      const { outputs, attributes, isUsed } = context
      const names = outputs.map(({ name }) => name).slice(0, isUsed(1) ? 2 : 1)
      lowerPool(context, 'MaxPool', names, { dilations: windowsOf(attributes).dilation })
    },
  },

  maxUnpool: {
    summary: 'zeros with the elements of x at positions in the whole result that differ from each other, as maxPool gives them',
    infer([x, positions], { shape }) {
      expectDtype('maxUnpool', x!, 'f32')
      expectDtype('maxUnpool', positions!, 'i64')
      if (x!.shape.join() !== positions!.shape.join())
        throw shapeError('maxUnpool', 'x and positions must have one shape', [x!.shape, positions!.shape])
      const target = shape as readonly number[]
      if (target.length !== x!.shape.length || target.slice(0, 2).join() !== x!.shape.slice(0, 2).join())
        throw shapeError('maxUnpool', 'batch and channels must stay as they are', [x!.shape, target])
      return [{ shape: shape as readonly number[], dtype: 'f32' }]
    },
    vjp: ({ inputs: [x, positions], gradients: [dy] }) => [
      dy!
        .reshape([-1])
        .gather(-1, positions!.reshape([-1]))
        .reshape(x!.shape),
      undefined,
    ],
    lower({ inputs: [x, positions], outputs: [y], attributes: { shape }, emit, ints }) {
      const sizes = shape as readonly number[]
      // The kernel's size and stride are needed and, where the result's shape is given, without effect.
      const one = sizes.slice(2).map(() => 1)
      emit('MaxUnpool', [x!.name, positions!.name, ints(sizes)], { kernel_shape: one, strides: one }, { outputs: [y!.name] })
    },
  },

  avgPool: {
    summary: 'Σ of each window of x [N, C, ...] over the number of its positions, padding counting as zeros',
    infer: ([x], attributes) => [{ shape: pooledShape('avgPool', x!, windowsOf(attributes)), dtype: 'f32' }],
    vjp({ inputs: [x], attributes, gradients: [dy] }): Gradients {
      const windows = windowsOf(attributes)
      const { kernel, stride, pads } = windows
      const tiled = dy!.shape.slice(2).every((size, axis) => (size as number) * kernel[axis]! === x!.shape[axis + 2])
      if (tiled && stride.join() === kernel.join() && !pads.some(Boolean))
        return x!.builder.apply('upsample', [dy!.mul(1 / count(kernel))], { factors: kernel })
      const [inputs, outputs] = [spatial('avgPool', x!), spatial('avgPool', dy!)]
      return [
        weightSpace(
          dy!,
          inputs.map((size, axis) => shares(size, outputs[axis]!, windows, axis)),
        ),
      ]
    },
    lower: (context) => lowerPool(context, 'AveragePool', [context.outputs[0]!.name], { count_include_pad: 1 }),
  },

  upsample: {
    summary: 'each element of x [N, C, ...] repeated by a factor along each spatial dimension: nearest-neighbour upsampling',
    infer([x], { factors }) {
      expectDtype('upsample', x!, 'f32')
      const list = factors as readonly number[]
      if (x!.shape.length !== list.length + 2)
        throw shapeError('upsample', `expected ${list.length + 2} dimensions for factors [${list.join(', ')}]`, [x!.shape])
      const sizes = spatial('upsample', x!).map((size, axis) => size * list[axis]!)
      return [{ shape: [...x!.shape.slice(0, 2), ...sizes], dtype: 'f32' }]
    },
    vjp({ inputs: [x], attributes: { factors }, gradients: [dy] }): Gradients {
      const kernel = factors as readonly number[]
      const [mean] = x!.builder.apply('avgPool', [dy!], { kernel, stride: kernel, pads: kernel.flatMap(() => [0, 0]) })
      return [mean!.mul(count(kernel))]
    },
    lower({ inputs: [x], outputs: [y], attributes: { factors }, emit, tensor }) {
      const scales = [1, 1, ...(factors as readonly number[])]
      const attributes = { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' }
      const name = tensor(`scales ${scales}`, [scales.length], () => Float32Array.from(scales))
      emit('Resize', [x!.name, '', name], attributes, { outputs: [y!.name] })
    },
  },
})
