import type { Attributes, Dim, Dims, Value } from '../program.js'
import type { Tensor } from '../tensor.js'
import { defineOps, expectDtype, fixed, type Gradients, type LowerContext, shapeError } from './define.js'

/** Settings of a convolution over any number of spatial dimensions; `pads` are those before each, then those after each. */
interface ConvolutionSettings {
  readonly stride: readonly number[]
  readonly pads: readonly number[]
  readonly dilation: readonly number[]
  readonly groups: number
}

const settingsOf = ({ stride, pads, dilation, groups }: Attributes): ConvolutionSettings => ({
  stride: stride as readonly number[],
  pads: pads as readonly number[],
  dilation: dilation as readonly number[],
  groups: groups as number,
})

/** The settings alone, where attributes hold more. */
const only = (attributes: Attributes): Attributes => ({ ...settingsOf(attributes) })

const padding = (pads: readonly number[], axis: number) => pads[axis]! + pads[axis + pads.length / 2]!

const spatial = (shape: Dims) => shape.slice(2)

/** Input positions that one output position looks at, from the first to the last. */
const reach = (kernel: readonly number[], dilation: readonly number[], axis: number) => dilation[axis]! * (kernel[axis]! - 1) + 1

function checkRanks(op: string, a: Value, b: Value, { stride }: ConvolutionSettings): void {
  expectDtype(op, a, 'f32')
  expectDtype(op, b, 'f32')
  const rank = stride.length + 2
  if (a.shape.length !== rank || b.shape.length !== rank)
    throw shapeError(op, `expected ${rank} dimensions: batch, channels and ${stride.length} of space`, [a.shape, b.shape])
}

function checkBias(op: string, channels: Dim, weight: Value, bias: Value | undefined): void {
  if (!bias) return
  expectDtype(op, bias, 'f32')
  if (bias.shape.length !== 1 || bias.shape[0] !== channels)
    throw shapeError(op, `the bias must have ${channels} elements, one for each output channel`, [weight.shape, bias.shape])
}

function outputShape(x: Value, weight: Value, settings: ConvolutionSettings): Dim[] {
  checkRanks('conv', x, weight, settings)
  const { stride, pads, dilation, groups } = settings
  const [channels, outputs, perGroup] = fixed('conv', [x.shape[1]!, weight.shape[0]!, weight.shape[1]!]) as [
    number,
    number,
    number,
  ]
  if (channels !== perGroup * groups || outputs % groups !== 0)
    throw shapeError(
      'conv',
      `${channels} input channels in ${groups} groups need a weight [outputs, ${channels / groups}, …] with outputs a multiple of ${groups}`,
      [x.shape, weight.shape],
    )
  const kernel = fixed('conv', spatial(weight.shape))
  const size = fixed('conv', spatial(x.shape)).map((extent, axis) => {
    const room = extent + padding(pads, axis) - reach(kernel, dilation, axis)
    if (room < 0) throw shapeError('conv', 'the kernel is larger than the padded input', [x.shape, weight.shape])
    return Math.floor(room / stride[axis]!) + 1
  })
  return [x.shape[0]!, outputs, ...size]
}

/** What `convTranspose` must add at the end of each dimension to reach the size that the convolution came from. */
function outputPadding(from: Dims, to: Dims, kernel: readonly number[], settings: ConvolutionSettings): number[] {
  const { stride, pads, dilation } = settings
  const target = fixed('conv', spatial(to))
  return fixed('conv', spatial(from)).map(
    (extent, axis) => target[axis]! + padding(pads, axis) - reach(kernel, dilation, axis) - stride[axis]! * (extent - 1),
  )
}

const sumOverPositions = (dy: Tensor) => dy.sum(dy.shape.flatMap((_, axis) => (axis === 1 ? [] : [axis])))

const onnxSettings = ({ stride, pads, dilation, groups }: ConvolutionSettings, kernel: Dims) => ({
  kernel_shape: fixed('conv', kernel),
  strides: stride,
  pads,
  dilations: dilation,
  group: groups,
})

/**
 * The weight gradient as matrix products: the input shifted by each tap of the kernel, all taps stacked, times the output's
 * gradient, for each sample and group; then the sum over samples.
 */
function lowerWeightGradient({ inputs: [x, dy], outputs: [dw], attributes, emit, ints }: LowerContext): void {
  const { stride, pads, dilation, groups } = settingsOf(attributes)
  const [, channels, ...extent] = fixed('convWeightGradient', [0, ...x!.shape.slice(1)]) as [number, number, ...number[]]
  const [, outputs, ...positions] = fixed('convWeightGradient', [0, ...dy!.shape.slice(1)]) as [number, number, ...number[]]
  const [, perGroup, ...kernel] = fixed('convWeightGradient', dw!.shape) as [number, number, ...number[]]
  const batch = typeof x!.shape[0] === 'number' ? x!.shape[0] : -1
  const axes = extent.map((_, axis) => axis + 3)
  const reshape = (name: string, shape: readonly number[]) => emit('Reshape', [name, ints(shape)], { allowzero: 1 })
  const count = (sizes: readonly number[]) => sizes.reduce((product, size) => product * size, 1)

  const padded = pads.some(Boolean)
    ? emit('Pad', [x!.name, ints([0, 0, ...pads.slice(0, axes.length), 0, 0, ...pads.slice(axes.length)])])
    : x!.name
  const paddedExtent = extent.map((size, axis) => size + padding(pads, axis))
  const grouped = reshape(padded, [batch, groups, channels / groups, ...paddedExtent])
  const taps = Array.from({ length: count(kernel) }, (_, flat) => {
    let rest = flat
    const tap = [...kernel].reverse().map((size) => {
      const index = rest % size
      rest = Math.floor(rest / size)
      return index
    })
    const starts = tap.reverse().map((index, axis) => index * dilation[axis]!)
    const ends = starts.map((start, axis) => start + (positions[axis]! - 1) * stride[axis]! + 1)
    return emit('Slice', [grouped, ints(starts), ints(ends), ints(axes), ints(stride)])
  })
  const stacked = taps.length === 1 ? taps[0]! : emit('Concat', taps, { axis: 2 })
  const rows = reshape(stacked, [batch, groups, count(kernel) * perGroup, count(positions)])
  const gradients = reshape(dy!.name, [batch, groups, outputs / groups, count(positions)])
  const flags = { transA: 0, transB: 1, alpha: { float: 1 } }
  const products = emit('FusedMatMul', [gradients, rows], flags, { domain: 'com.microsoft' })
  const total = emit('ReduceSum', [products, ints([0])], { keepdims: 0 })
  const byTap = reshape(total, [outputs, count(kernel), perGroup])
  const byChannel = emit('Transpose', [byTap], { perm: [0, 2, 1] })
  emit('Reshape', [byChannel, ints([outputs, perGroup, ...kernel])], { allowzero: 1 }, { outputs: [dw!.name] })
}

/**
 * Convolution as learning needs it. The three ops are the three contractions of one trilinear form Σ x·weight·dy over the
 * positions that meet, so each one's derivatives are the other two, to any order.
 */
export const convolution = defineOps({
  conv: {
    summary:
      'y[n, o, p] = bias[o] + Σ weight[o, c, k] · x[n, c, stride·p + dilation·k - pad], x [N, C, …] and weight [O, C/groups, …] (cross-correlation, as torch.nn.functional.conv2d); bias is optional',
    infer([x, weight, bias], attributes) {
      const shape = outputShape(x!, weight!, settingsOf(attributes))
      checkBias('conv', shape[1]!, weight!, bias)
      return [{ shape, dtype: 'f32' }]
    },
    vjp({ inputs: [x, weight, bias], gradients: [dy], attributes }): Gradients {
      const { builder } = x!
      const settings = settingsOf(attributes)
      const kernel = fixed('conv', spatial(weight!.shape))
      const extra = outputPadding(dy!.shape, x!.shape, kernel, settings)
      return [
        builder.apply('convTranspose', [dy!, weight!], { ...settings, outputPadding: extra })[0],
        builder.apply('convWeightGradient', [x!, dy!], { ...settings, kernel })[0],
        ...(bias ? [sumOverPositions(dy!)] : []),
      ]
    },
    lower({ inputs, outputs: [y], attributes, emit }) {
      const kernel = spatial(inputs[1]!.shape)
      const names = inputs.map(({ name }) => name)
      emit('Conv', names, onnxSettings(settingsOf(attributes), kernel), { outputs: [y!.name] })
    },
  },

  convTranspose: {
    summary:
      'the adjoint of conv by its input: x [N, C, …] and weight [C, O/groups, …] to [N, O, …], each size (n - 1)·stride + dilation·(k - 1) + 1 - pads + outputPadding (as torch.nn.functional.conv_transpose2d); bias is optional',
    infer([x, weight, bias], attributes) {
      const settings = settingsOf(attributes)
      checkRanks('convTranspose', x!, weight!, settings)
      const { stride, pads, dilation, groups } = settings
      const extra = attributes.outputPadding as readonly number[]
      const [channels, inputs, perGroup] = fixed('convTranspose', [x!.shape[1]!, weight!.shape[0]!, weight!.shape[1]!])
      if (channels !== inputs || channels! % groups !== 0)
        throw shapeError(
          'convTranspose',
          `${channels} input channels in ${groups} groups need a weight [${channels}, outputs / ${groups}, …]`,
          [x!.shape, weight!.shape],
        )
      if (extra.some((amount, axis) => !(amount >= 0 && amount < stride[axis]!)))
        throw shapeError(
          'convTranspose',
          `outputPadding [${extra.join(', ')}] must be at least 0 and less than the stride [${stride.join(', ')}]`,
          [x!.shape, weight!.shape],
        )
      const kernel = fixed('convTranspose', spatial(weight!.shape))
      const size = fixed('convTranspose', spatial(x!.shape)).map((extent, axis) => {
        const result = (extent - 1) * stride[axis]! + reach(kernel, dilation, axis) - padding(pads, axis) + extra[axis]!
        if (result < 0) throw shapeError('convTranspose', 'the padding is larger than the result', [x!.shape, weight!.shape])
        return result
      })
      const outputs = perGroup! * groups
      checkBias('convTranspose', outputs, weight!, bias)
      return [{ shape: [x!.shape[0]!, outputs, ...size], dtype: 'f32' }]
    },
    vjp({ inputs: [x, weight, bias], gradients: [dy], attributes }): Gradients {
      const { builder } = x!
      const kernel = fixed('convTranspose', spatial(weight!.shape))
      return [
        builder.apply('conv', [dy!, weight!], only(attributes))[0],
        builder.apply('convWeightGradient', [dy!, x!], { ...only(attributes), kernel })[0],
        ...(bias ? [sumOverPositions(dy!)] : []),
      ]
    },
    lower({ inputs, outputs: [y], attributes, emit }) {
      const settings = onnxSettings(settingsOf(attributes), spatial(inputs[1]!.shape))
      const names = inputs.map(({ name }) => name)
      const output_padding = attributes.outputPadding as readonly number[]
      emit('ConvTranspose', names, { ...settings, output_padding }, { outputs: [y!.name] })
    },
  },

  convWeightGradient: {
    summary: 'the adjoint of conv by its weight: dw[o, c, k] = Σ dy[n, o, p] · x[n, c, stride·p + dilation·k - pad]',
    infer([x, dy], attributes) {
      const settings = settingsOf(attributes)
      checkRanks('convWeightGradient', x!, dy!, settings)
      const [channels, outputs] = fixed('convWeightGradient', [x!.shape[1]!, dy!.shape[1]!])
      const kernel = attributes.kernel as readonly number[]
      const weight: Value = { shape: [outputs!, channels! / settings.groups, ...kernel], dtype: 'f32' }
      if (outputShape(x!, weight, settings).join() !== dy!.shape.join())
        throw shapeError('convWeightGradient', 'the gradient does not have the shape of the result', [x!.shape, dy!.shape])
      return [weight]
    },
    vjp({ inputs: [x, dy], gradients: [g], attributes }): Gradients {
      const { builder } = x!
      const settings = settingsOf(attributes)
      const extra = outputPadding(dy!.shape, x!.shape, attributes.kernel as readonly number[], settings)
      return [
        builder.apply('convTranspose', [dy!, g!], { ...settings, outputPadding: extra })[0],
        builder.apply('conv', [x!, g!], { ...settings })[0],
      ]
    },
    lower: lowerWeightGradient,
  },
})
