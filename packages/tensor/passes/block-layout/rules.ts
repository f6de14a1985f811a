import { activations } from '../../ops/activations.js'
import { phasesOf } from '../../ops/blocked.js'
import { comparisons } from '../../ops/comparison.js'
import { elementwise } from '../../ops/elementwise.js'
import type { OpName } from '../../ops/index.js'
import { math } from '../../ops/math.js'
import type { Attributes, Node } from '../../program.js'
import { isFixed, type Rewriter, type Sizes } from './rewriter.js'

type Rule = (rewriter: Rewriter, node: Node) => boolean

const sizes = (value: Attributes[string] | undefined) => value as Sizes

/** A convolution of single positions with a stride reads every stride-th one: those alone, and no stride. */
function thinned(
  rewriter: Rewriter,
  x: number,
  kernel: Sizes,
  settings: Attributes,
): { x: number; settings: Attributes } | undefined {
  const { stride, pads } = settings
  const apart = sizes(stride).some((step) => step > 1)
  if (!apart || kernel.some((size) => size > 1) || sizes(pads).some(Boolean) || !rewriter.fits(x)) return undefined
  const ones = rewriter.ones(rewriter.shape(x)[1]!)
  return { x: rewriter.affine(rewriter.blocked(x), ones, { stride: sizes(stride) }), settings: { ...settings, stride: [1, 1] } }
}

/** Ops that treat every element alike do not care about the order of elements. */
const pointwise: Rule = (rewriter, node) => {
  const shape = rewriter.shape(node.outputs[0]!)
  const full = node.inputs.filter((id) => rewriter.isBlocked(id) && rewriter.shape(id).join() === shape.join())
  if (full.length === 0) return false
  const inputs = node.inputs.map((id) => rewriter.operand(id, shape))
  if (inputs.some((id) => id === undefined)) return false
  const operands = inputs as number[]
  // Equal shapes stay as they are; what broadcasts does so to the form in memory.
  const alike = operands.every((id) => rewriter.shape(id).length === 0 || rewriter.shape(id).join() === shape.join())
  const inMemory = (id: number) =>
    rewriter.shape(id).length === 4 ? rewriter.reshape(id, rewriter.inMemory(rewriter.shape(id))) : id
  const made = rewriter.apply(node.op, alike ? operands : operands.map(inMemory), node.attributes)
  for (const [index, id] of made.entries()) rewriter.settle(node, index, alike ? id : rewriter.reshape(id, shape))
  return true
}

const reduction: Rule = (rewriter, node) => {
  const [x] = node.inputs as [number]
  const axes = sizes(node.attributes.axes)
  if (!rewriter.isBlocked(x) || !axes.includes(2) || !axes.includes(3)) return false
  const [batch, channels, height, width] = rewriter.shape(x) as [number, number, number, number]
  const rest = axes.filter((axis) => axis < 2)
  const positions = rewriter.sumPositions(rewriter.blocked(x))
  const total = rest.length === 0 ? positions : rewriter.one('sum', [positions], { axes: rest, keepDims: false })
  const count = height * width * rest.reduce((product, axis) => product * (axis === 0 ? batch : channels), 1)
  rewriter.become(node.outputs[0]!, node.op === 'sum' ? total : rewriter.one('mul', [total, rewriter.scalar(1 / count)]))
  return true
}

export const rules: Readonly<Partial<Record<OpName, Rule>>> = {
  conv(rewriter, node) {
    const [x, weight, bias] = node.inputs as [number, number, number | undefined]
    const { groups, ...settings } = node.attributes
    const [y] = node.outputs as [number]
    const shape = rewriter.values[x]!.shape
    if (groups !== 1 || !rewriter.fits(y) || !isFixed(shape)) return false
    const few = shape[1]! < rewriter.block
    if (!few && !rewriter.fits(x)) return false
    const thin = thinned(rewriter, x, rewriter.shape(weight).slice(2), settings)
    const image = thin?.x ?? (few ? rewriter.plain(x) : rewriter.blocked(x))
    const inputs = [image, rewriter.plain(weight), ...(bias === undefined ? [] : [rewriter.plain(bias)])]
    const attributes = { ...(thin?.settings ?? settings), shift: bias !== undefined, relu: false, block: rewriter.block }
    rewriter.settle(node, 0, rewriter.one('blockedConv', inputs, attributes))
    return true
  },

  convTranspose(rewriter, node) {
    const [x, weight, bias] = node.inputs as [number, number, number | undefined]
    const [y] = node.outputs as [number]
    const { stride, pads, dilation, groups } = node.attributes
    if (groups !== 1 || !rewriter.fits(x) || !rewriter.fits(y) || sizes(dilation).some((step) => step !== 1)) return false
    const size = rewriter.shape(y).slice(2)
    const kernel = rewriter.shape(weight).slice(2)
    const from = rewriter.shape(x).slice(2)
    const possible = size.every((extent, axis) =>
      phasesOf(extent, from[axis]!, kernel[axis]!, sizes(stride)[axis]!, sizes(pads)[axis]!),
    )
    if (!possible) return false
    const attributes = { stride: stride!, pads: pads!, size, shift: false, relu: false, block: rewriter.block }
    const phases = rewriter.one('blockedPhases', [rewriter.blocked(x), rewriter.plain(weight)], attributes)
    const made = sizes(stride).every((step) => step === 1)
      ? phases
      : rewriter.one('interleave', [phases], { stride: stride!, block: rewriter.block })
    const shifted = () => rewriter.affine(made, rewriter.ones(rewriter.shape(y)[1]!), { shift: rewriter.plain(bias!) })
    rewriter.settle(node, 0, bias === undefined ? made : shifted())
    return true
  },

  convWeightGradient(rewriter, node) {
    const [x, dy] = node.inputs as [number, number]
    const { stride, pads, kernel, groups } = node.attributes
    // The distance of a single tap means nothing.
    const dilation = sizes(node.attributes.dilation).map((step, axis) => (sizes(kernel)[axis] === 1 ? 1 : step))
    const shape = rewriter.values[x]!.shape
    if (groups !== 1 || !rewriter.fits(dy) || !isFixed(shape) || shape[0]! % rewriter.block !== 0) return false
    const thin = thinned(rewriter, x, sizes(kernel), { stride: stride!, pads: pads! })
    const step = sizes(thin?.settings.stride ?? stride)
    const positions = rewriter.shape(dy).slice(2)
    const extent = thin ? positions : shape.slice(2)
    const before = sizes(pads).slice(0, 2)
    const after = before.map((amount, axis) => {
      const reach = step[axis]! * (positions[axis]! - 1) + dilation[axis]! * (sizes(kernel)[axis]! - 1) + 1
      return Math.max(0, reach - amount - extent[axis]!)
    })
    const around = [...before, ...after]
    const padded = (id: number, channels: number) =>
      around.some(Boolean) ? rewriter.affine(id, rewriter.ones(channels), { pads: around }) : id
    // Channels beside each other give the kernel more to do at once, but not where the steps along the width are larger than 1.
    const lanes = rewriter.fits(x) && dilation[1] === 1 ? rewriter.block : 1
    const swapped = () => {
      const samples = rewriter.one('transpose', [rewriter.plain(x)], { order: [1, 0, 2, 3] })
      return padded(rewriter.one('toBlocked', [samples], { block: rewriter.block }), shape[0]!)
    }
    const beside = () =>
      rewriter.one('swapSamples', [thin?.x ?? padded(rewriter.blocked(x), shape[1]!)], { block: rewriter.block })
    const attributes = { stride: step, dilation, kernel: kernel!, lanes, block: rewriter.block }
    const input = lanes > 1 ? beside() : swapped()
    const made = rewriter.one('blockedConvWeightGradient', [input, rewriter.blocked(dy)], attributes)
    rewriter.become(node.outputs[0]!, made)
    return true
  },

  /** Statistics in two passes (mean, then squared distances), then scale and shift in one kernel. */
  batchNorm(rewriter, node) {
    const [image, weight, bias] = node.inputs as [number, number, number]
    if (!rewriter.isBlocked(image)) return false
    const x = rewriter.blocked(image)
    const [batch, channels, height, width] = rewriter.shape(image) as [number, number, number, number]
    const share = rewriter.scalar(1 / (batch * height * width))
    const mean = rewriter.one('mul', [rewriter.sumChannels(x), share])
    const distance = rewriter.affine(x, rewriter.ones(channels), { shift: rewriter.one('neg', [mean]) })
    const variance = rewriter.one('mul', [rewriter.sumChannels(rewriter.one('mul', [distance, distance])), share])
    const inverse = inverseDeviation(rewriter, variance, node.attributes)
    const scale = rewriter.one('mul', [rewriter.plain(weight), inverse])
    const shift = rewriter.one('sub', [rewriter.plain(bias), rewriter.one('mul', [mean, scale])])
    rewriter.settle(node, 0, rewriter.affine(x, scale, { shift }))
    rewriter.become(node.outputs[1]!, mean)
    rewriter.become(node.outputs[2]!, variance)
    return true
  },

  /** dx = dy·a + x·b + c with a, b and c for each channel: two kernels once the sums are there. */
  batchNormGradient(rewriter, node) {
    const [gradient, image, weight, mean, variance] = node.inputs as [number, number, number, number, number]
    if (!rewriter.isBlocked(image)) return false
    const [dy, x] = [rewriter.blocked(gradient), rewriter.blocked(image)]
    const mul = (a: number, b: number) => rewriter.one('mul', [a, b])
    const sub = (a: number, b: number) => rewriter.one('sub', [a, b])
    const [batch, , height, width] = rewriter.shape(image) as [number, number, number, number]
    const share = rewriter.scalar(-1 / (batch * height * width))
    const inverse = inverseDeviation(rewriter, rewriter.plain(variance), node.attributes)
    const dBias = rewriter.sumChannels(dy)
    const products = rewriter.sumChannels(mul(dy, x))
    const dWeight = mul(inverse, sub(products, mul(rewriter.plain(mean), dBias)))
    const scale = mul(rewriter.plain(weight), inverse)
    const slope = mul(mul(scale, share), mul(dWeight, inverse))
    const shift = sub(mul(mul(scale, share), dBias), mul(slope, rewriter.plain(mean)))
    rewriter.settle(node, 0, rewriter.affine(dy, scale, { addend: rewriter.affine(x, slope, { shift }) }))
    rewriter.become(node.outputs[1]!, dWeight)
    rewriter.become(node.outputs[2]!, dBias)
    return true
  },

  sum: reduction,
  mean: reduction,
  ...Object.fromEntries(Object.keys({ ...elementwise, ...comparisons, ...math, ...activations }).map((op) => [op, pointwise])),
}

function inverseDeviation(rewriter: Rewriter, variance: number, { epsilon }: Attributes): number {
  const raised = rewriter.one('add', [variance, rewriter.scalar(epsilon as number)])
  return rewriter.one('reciprocal', [rewriter.one('sqrt', [raised])])
}
