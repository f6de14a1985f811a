import type { Attributes, Dims, Value } from '../program.js'
import { defineOps, expectDtype, fixed, type LowerContext, shapeError } from './define.js'

/**
 * Convolutions over images whose channels lie in blocks: a blocked value has the shape [N, C, H, W], but lies in memory as
 * [N, C/b, H, W, b], so that a vector register holds one position's channels. ONNX Runtime uses this layout inside (domain
 * com.microsoft.nchwc) where weights are constant; here the weights come with every run. The block b is the processor's. Only
 * the pass `blockLayout` makes these ops, after differentiation, so they have no derivative.
 */
const nchwc = { domain: 'com.microsoft.nchwc' }

const f32 = (shape: Dims): Value => ({ shape, dtype: 'f32' })

type Emit = LowerContext['emit']
type Ints = LowerContext['ints']

const reshape = (emit: Emit, ints: Ints, name: string, shape: readonly number[], output?: string) =>
  emit('Reshape', [name, ints(shape)], { allowzero: 1 }, output === undefined ? {} : { outputs: [output] })

type Image = [number, number, number, number]

const image = (shape: Dims) => fixed('blocked', shape) as Image

/** What a kernel takes besides x and its weights: a shift for each channel, and a blocked value to add, either optional. */
function extras(rest: LowerContext['inputs'], { shift, relu }: Attributes) {
  const bias = shift ? rest[0] : undefined
  const addend = rest[shift ? 1 : 0]
  const inputs = addend ? [bias?.name ?? '', addend.name] : bias ? [bias.name] : []
  return { inputs, settings: relu ? { activation: 'Relu' } : {} }
}

const numbers = (value: Attributes[string] | undefined) => value as readonly number[]

const extent = (size: number, kernel: number, axis: number, { stride, pads, dilation }: Attributes) => {
  const reach = numbers(dilation)[axis]! * (kernel - 1) + 1
  return Math.floor((size + numbers(pads)[axis]! + numbers(pads)[axis + 2]! - reach) / numbers(stride)[axis]!) + 1
}

/** The least number of equal groups of `count` that is at least `wanted`; all of them where there are fewer. */
function groupsOf(count: number, wanted: number): number {
  let groups = Math.min(count, wanted)
  while (count % groups !== 0) groups++
  return groups
}

/** What one axis of the input gradient needs, see `phasesOf`. */
interface Phases {
  /** Positions of one phase: the size divided by the stride. */
  readonly positions: number
  /** Taps of each phase; the tap of the original kernel for [phase][tap], -1 for none. */
  readonly taps: readonly (readonly number[])[]
  readonly before: number
  readonly after: number
}

/**
 * Input position stride·u + a (phase a) receives tap t of the kernel from output position u + (a + pad - t) / stride, where
 * that is whole. So each phase is an ordinary convolution of the output's gradient. Undefined where the phases do not fill the
 * size, or would need negative padding.
 */
export function phasesOf(size: number, from: number, kernel: number, stride: number, pad: number): Phases | undefined {
  const offset = (phase: number, tap: number) => (phase + pad - tap) / stride
  const range = (count: number) => Array.from({ length: count }, (_, index) => index)
  const offsets = range(stride).flatMap((phase) =>
    range(kernel)
      .map((tap) => offset(phase, tap))
      .filter(Number.isInteger),
  )
  const [low, high] = [Math.min(...offsets), Math.max(...offsets)]
  const positions = size / stride
  const after = positions - from + low + (high - low)
  if (!Number.isInteger(positions) || low > 0 || after < 0) return undefined
  const taps = range(stride).map((phase) =>
    range(high - low + 1).map((index) => {
      const tap = phase + pad - stride * (index + low)
      return tap >= 0 && tap < kernel ? tap : -1
    }),
  )
  return { positions, taps, before: -low, after }
}

function bothPhases(x: Value, weight: Value, { stride, pads, size }: Attributes): [Phases, Phases] {
  const [, , ...from] = image(x.shape)
  const [, , ...kernel] = fixed('blockedPhases', weight.shape)
  const [rows, columns] = [0, 1].map((axis) =>
    phasesOf(numbers(size)[axis]!, from[axis]!, kernel[axis]!, numbers(stride)[axis]!, numbers(pads)[axis]!),
  )
  if (!rows || !columns) throw shapeError('blockedPhases', `no phases for the size [${numbers(size)}]`, [x.shape, weight.shape])
  return [rows, columns]
}

export const blocked = defineOps({
  toBlocked: {
    summary: 'x [N, C, H, W] with its channels in blocks',
    infer([x], { block }) {
      expectDtype('toBlocked', x!, 'f32')
      const [, channels] = image(x!.shape)
      if (x!.shape.length !== 4 || channels % (block as number) !== 0)
        throw shapeError('toBlocked', `expected [N, C, H, W] with C a multiple of ${block}`, [x!.shape])
      return [f32(x!.shape)]
    },
    lower({ inputs: [x], outputs: [y], emit }) {
      emit('ReorderInput', [x!.name], {}, { ...nchwc, outputs: [y!.name] })
    },
  },

  fromBlocked: {
    summary: 'a blocked x with its channels one after the other again',
    infer: ([x]) => [f32(x!.shape)],
    lower({ inputs: [x], outputs: [y], emit }) {
      emit('ReorderOutput', [x!.name], { channels: y!.shape[1] as number }, { ...nchwc, outputs: [y!.name] })
    },
  },

  blockedConv: {
    summary:
      'conv of a blocked x (or of one with fewer channels than a block) with an ordinary weight [O, C, kH, kW] and shift [O], plus an addend, then max(…, 0) if `relu`; shift and addend are optional',
    infer([x, weight], attributes) {
      const [batch, , height, width] = image(x!.shape)
      const [outputs, , kernelHeight, kernelWidth] = fixed('blockedConv', weight!.shape) as [number, number, number, number]
      const size = [extent(height, kernelHeight, 0, attributes), extent(width, kernelWidth, 1, attributes)]
      return [f32([batch, outputs, ...size])]
    },
    lower({ inputs: [x, weight, ...rest], outputs: [y], attributes, emit, ints }) {
      const block = attributes.block as number
      const [outputs, channels, ...kernel] = fixed('blockedConv', weight!.shape) as [number, number, number, number]
      const taps = kernel[0]! * kernel[1]!
      // The kernels want weights as [O/b, C/b, taps, b inputs, b outputs], or [O/b, C, taps, b outputs] for a few channels.
      const few = channels < block
      const split = few ? [outputs / block, block, channels, taps] : [outputs / block, block, channels / block, block, taps]
      const order = few ? [0, 2, 3, 1] : [0, 2, 4, 3, 1]
      const ordered = emit('Transpose', [reshape(emit, ints, weight!.name, split)], { perm: order })
      const filter = reshape(emit, ints, ordered, [outputs, channels, ...kernel])
      const extra = extras(rest, attributes)
      const settings = {
        kernel_shape: kernel,
        strides: numbers(attributes.stride),
        pads: numbers(attributes.pads),
        dilations: numbers(attributes.dilation),
        ...extra.settings,
      }
      const inputs = [x!.name, filter, ...extra.inputs]
      emit('Conv', inputs, settings, { ...nchwc, outputs: [y!.name] })
    },
  },

  blockedPhases: {
    summary:
      'convTranspose of a blocked x to `size`, each phase of the stride in channels of its own: [N, phases · C, H/stride, W/stride]; plus shift and addend, then max(…, 0) if `relu`',
    infer([x, weight], attributes) {
      const [batch] = image(x!.shape)
      const [rows, columns] = bothPhases(x!, weight!, attributes)
      const channels = (weight!.shape[1] as number) * rows.taps.length * columns.taps.length
      return [f32([batch, channels, rows.positions, columns.positions])]
    },
    lower({ inputs: [x, weight, ...rest], outputs: [y], attributes, emit, ints, tensor }) {
      const block = attributes.block as number
      const [outputs, channels, ...kernel] = fixed('blockedPhases', weight!.shape) as [number, number, number, number]
      const [rows, columns] = bothPhases(x!, weight!, attributes)
      const taps = kernel[0]! * kernel[1]!
      const chosen = rows.taps.flatMap((row) =>
        columns.taps.flatMap((column) => row.flatMap((i) => column.map((j) => (i < 0 || j < 0 ? taps : i * kernel[1]! + j)))),
      )
      const phases = rows.taps.length * columns.taps.length
      const blocks = [channels / block, outputs / block]
      // Whole blocks of weights are moved from the second step on, which costs next to nothing.
      const split = reshape(emit, ints, weight!.name, [blocks[1]!, block, blocks[0]!, block, taps])
      const byTap = emit('Transpose', [split], { perm: [2, 0, 4, 1, 3] })
      const nothing = [...blocks, 1, block, block]
      const zeros = () => tensor(`zeros ${nothing}`, nothing, () => new Float32Array(outputs * channels))
      const source = chosen.includes(taps) ? emit('Concat', [byTap, zeros()], { axis: 2 }) : byTap
      const gathered = emit('Gather', [source, ints(chosen)], { axis: 2 })
      const apart = () => reshape(emit, ints, gathered, [...blocks, phases, chosen.length / phases, block * block])
      const ordered = phases === 1 ? gathered : emit('Transpose', [apart()], { perm: [2, 0, 1, 3, 4] })
      const window = [rows.taps[0]!.length, columns.taps[0]!.length]
      const filter = reshape(emit, ints, ordered, [phases * channels, outputs, ...window])
      const extra = extras(rest, attributes)
      const settings = {
        kernel_shape: window,
        strides: [1, 1],
        pads: [rows.before, columns.before, rows.after, columns.after],
        dilations: [1, 1],
        ...extra.settings,
      }
      emit('Conv', [x!.name, filter, ...extra.inputs], settings, { ...nchwc, outputs: [y!.name] })
    },
  },

  interleave: {
    summary: 'the phases that `blockedPhases` made, each at its positions: [N, C, H, W]',
    infer([x], { stride }) {
      const [batch, channels, height, width] = image(x!.shape)
      const [down, across] = numbers(stride) as [number, number]
      return [f32([batch, channels / (down * across), height * down, width * across])]
    },
    lower({ inputs: [x], outputs: [y], attributes: { stride, block }, emit, ints }) {
      const [batch, channels, height, width] = image(x!.shape)
      const [down, across] = numbers(stride) as [number, number]
      const blocks = channels / (down * across) / (block as number)
      const apart = reshape(emit, ints, x!.name, [batch, down, across, blocks, height, width, block as number])
      const woven = emit('Transpose', [apart], { perm: [0, 3, 4, 1, 5, 2, 6] })
      reshape(emit, ints, woven, image(y!.shape), y!.name)
    },
  },

  swapSamples: {
    summary:
      'a blocked x [N, C, H, W] with blocks of samples in the place of channels: [C/block, N, H, W·block], the channels of a block beside each other along the width',
    infer([x], { block }) {
      const [batch, channels, height, width] = image(x!.shape)
      return [f32([channels / (block as number), batch, height, width * (block as number)])]
    },
    lower({ inputs: [x], outputs: [y], attributes, emit, ints }) {
      const block = attributes.block as number
      const [images, batch, height, width] = image(y!.shape)
      const size = height * width
      // Seen as an image with a block of samples for channels, this is what the reordering kernel does.
      const rows = reshape(emit, ints, x!.name, [batch / block, block, images * size, 1])
      const reordered = emit('ReorderInput', [rows], {}, nchwc)
      const apart = () => reshape(emit, ints, reordered, [batch / block, images, size * block])
      const ordered = images === 1 ? reordered : emit('Transpose', [apart()], { perm: [1, 0, 2] })
      reshape(emit, ints, ordered, image(y!.shape), y!.name)
    },
  },

  blockedConvWeightGradient: {
    summary:
      'convWeightGradient of a padded x with samples for channels, [C/lanes, N, H, W·lanes], and a blocked dy: a convolution with dy as filter, whose results lie `lanes` channels beside each other along the width',
    infer([x, dy], { kernel, lanes }) {
      const [channels] = image(x!.shape)
      const [, outputs] = image(dy!.shape)
      return [f32([outputs, channels * (lanes as number), ...numbers(kernel)])]
    },
    lower({ inputs: [x, dy], attributes, outputs: [dw], emit, ints }) {
      const block = attributes.block as number
      const lanes = attributes.lanes as number
      const [images, , height, width] = image(x!.shape)
      const [batch, outputs, ...positions] = image(dy!.shape) as [number, number, number, number]
      const [down, across] = numbers(attributes.stride) as [number, number]
      const { dilation } = attributes
      const count = positions[0] * positions[1]
      // A few results of very long sums keep few threads busy: groups of samples are summed apart, then together.
      const results = images * Math.ceil(outputs / block / 4) * (numbers(attributes.kernel)[0] as number)
      const groups = groupsOf(batch / block, Math.ceil(12 / results))
      const samples = [groups, batch / block / groups, block, outputs / block, count, block]
      const ordered = emit('Transpose', [reshape(emit, ints, dy!.name, samples)], { perm: [0, 3, 1, 4, 2, 5] })
      const filter = reshape(emit, ints, ordered, [groups * outputs, batch / groups, ...positions])
      // The steps of the convolution become distances of the filter's taps and the other way round.
      const settings = {
        kernel_shape: positions,
        strides: numbers(dilation),
        pads: [0, 0, 0, 0],
        dilations: [down, across * lanes],
        group: groups,
      }
      const swapped = emit('Conv', [x!.name, filter], settings, nchwc)
      const plain = emit('ReorderOutput', [swapped], { channels: groups * outputs }, nchwc)
      const made = [height, width].map((size, axis) =>
        extent(size, positions[axis]!, axis, { stride: dilation!, pads: [0, 0, 0, 0], dilation: settings.dilations }),
      ) as [number, number]
      const parts = reshape(emit, ints, plain, [images, groups, outputs, made[0], made[1] / lanes, lanes])
      const apart = emit('ReduceSum', [parts, ints([1])], { keepdims: 0 })
      const [, , ...kernel] = fixed('blockedConvWeightGradient', dw!.shape) as [number, number, number, number]
      const exact = made[0] === kernel[0] && made[1] === kernel[1] * lanes
      const cut = exact ? apart : emit('Slice', [apart, ints([0, 0]), ints(kernel), ints([2, 3])])
      const byOutput = emit('Transpose', [cut], { perm: [1, 0, 4, 2, 3] })
      reshape(emit, ints, byOutput, fixed('blockedConvWeightGradient', dw!.shape), dw!.name)
    },
  },

  blockedAffine: {
    summary:
      'x · scale[c] + shift[c] + addend of a blocked x, then max(…, 0) if `relu`: one pass over memory; zeros around it as `pads` say, every stride-th position; shift and addend are optional',
    infer([x, scale, ...rest], { pads, shift, stride }) {
      const [batch, channels, height, width] = image(x!.shape)
      const vectors = shift ? [scale!, rest[0]!] : [scale!]
      if (vectors.some(({ shape }) => shape.join() !== String(channels)))
        throw shapeError('blockedAffine', `scale and shift must have ${channels} elements`, [x!.shape, scale!.shape])
      const [top, left, bottom, right] = numbers(pads) as [number, number, number, number]
      const [down, across] = numbers(stride) as [number, number]
      const size = [Math.ceil((height + top + bottom) / down), Math.ceil((width + left + right) / across)]
      return [f32([batch, channels, ...size])]
    },
    lower({ inputs: [x, scale, ...rest], outputs: [y], attributes, emit, ints }) {
      const [, channels] = image(x!.shape)
      const filter = reshape(emit, ints, scale!.name, [channels, 1, 1, 1])
      const extra = extras(rest, attributes)
      const settings = {
        kernel_shape: [1, 1],
        strides: numbers(attributes.stride),
        pads: numbers(attributes.pads),
        dilations: [1, 1],
        group: channels,
        ...extra.settings,
      }
      emit('Conv', [x!.name, filter, ...extra.inputs], settings, { ...nchwc, outputs: [y!.name] })
    },
  },
})
