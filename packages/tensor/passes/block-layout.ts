import { activations } from '../ops/activations.js'
import { imageShape, phasesOf } from '../ops/blocked.js'
import { comparisons } from '../ops/comparison.js'
import { convolution } from '../ops/convolution.js'
import { elementwise } from '../ops/elementwise.js'
import { type OpName, opTable } from '../ops/index.js'
import { math } from '../ops/math.js'
import type { Attributes, Node, Program, Value } from '../program.js'
import { commonSubexpressions } from './common-subexpressions.js'
import { deadCode } from './dead-code.js'
import { producers, useCounts } from './uses.js'

/** Ops that treat every element alike, so that the order of elements does not matter to them. */
const pointwise: ReadonlySet<string> = new Set(Object.keys({ ...elementwise, ...comparisons, ...math, ...activations }))

type Sizes = readonly number[]

const isFixed = (shape: Value['shape']): shape is Sizes => shape.every((dim) => typeof dim === 'number')

/**
 * A program under conversion. Each value of the original has its own id throughout, and, once something made it, the id of its
 * blocked form. What reads the plain form of a value that was only made in blocks gets it converted on first use, so layouts
 * change only where they meet.
 */
class Rewriter {
  readonly block: number
  readonly values: Value[]
  readonly nodes: Node[] = []
  readonly #constants: { value: number; data: Float32Array }[] = []
  readonly #blocked = new Map<number, number>()
  /** Original nodes whose results exist in blocks only, so far. */
  readonly #owed = new Map<number, Node>()
  readonly #producers: ReadonlyMap<number, Node>

  constructor(
    readonly program: Program,
    block: number,
  ) {
    this.block = block
    this.values = [...program.values]
    this.#producers = producers(program)
  }

  run(): Program {
    for (const node of this.program.nodes)
      if (!rules[node.op]?.(this, node) && !(pointwise.has(node.op) && rewritePointwise(this, node))) this.keep(node)
    for (const { value } of this.program.outputs) this.plain(value)
    const { values, nodes, program } = this
    return { ...program, values, nodes, constants: [...program.constants, ...this.#constants] }
  }

  shape(id: number): Sizes {
    return this.values[id]!.shape as Sizes
  }

  /** The node as it is. */
  keep(node: Node): void {
    for (const id of node.inputs) this.plain(id)
    this.nodes.push(node)
  }

  apply(op: OpName, inputs: readonly number[], attributes: Attributes = {}): number[] {
    const made = opTable[op].infer(
      inputs.map((id) => this.values[id]!),
      attributes,
    )
    const outputs = made.map((value) => this.values.push(value) - 1)
    this.nodes.push({ op, inputs, outputs, attributes })
    return outputs
  }

  one(op: OpName, inputs: readonly number[], attributes: Attributes = {}): number {
    return this.apply(op, inputs, attributes)[0]!
  }

  reshape(id: number, shape: Sizes): number {
    return this.one('reshape', [id], { shape, symbols: JSON.stringify(shape) })
  }

  /** Gives the original value `id` what the new value `from` holds. */
  become(id: number, from: number): void {
    const shape = this.shape(id)
    const attributes = { shape, symbols: JSON.stringify(shape) }
    this.nodes.push({ op: 'reshape', inputs: [from], outputs: [id], attributes })
  }

  constant(data: Float32Array, shape: Sizes): number {
    const value = this.values.push({ shape, dtype: 'f32' }) - 1
    this.#constants.push({ value, data })
    return value
  }

  ones(count: number): number {
    return this.one('broadcastTo', [this.constant(new Float32Array([1]), [])], { shape: [count] })
  }

  /** Says that `blocked` is the blocked form of an output of `node`. */
  settle(node: Node, index: number, blocked: number): void {
    const id = node.outputs[index]!
    this.#blocked.set(id, blocked)
    this.#owed.set(id, node)
  }

  isBlocked(id: number): boolean {
    return this.#blocked.has(id)
  }

  /** The id itself, after seeing to it that the plain form is there. */
  plain(id: number): number {
    const node = this.#owed.get(id)
    if (!node) return id
    if (this.values[id]!.dtype === 'f32') {
      this.#owed.delete(id)
      this.nodes.push({ op: 'fromBlocked', inputs: [this.#blocked.get(id)!], outputs: [id], attributes: {} })
    } else {
      // Only floats can be converted: the others are made anew from plain operands.
      for (const output of node.outputs) this.#owed.delete(output)
      this.keep(node)
    }
    return id
  }

  /** Whether `id` is an image whose channels fill blocks. */
  fits(id: number): boolean {
    const { shape, dtype } = this.values[id]!
    return (
      dtype === 'f32' && shape.length === 4 && isFixed(shape) && shape[1]! % this.block === 0 && shape.every((size) => size > 0)
    )
  }

  /** The blocked form of an image that fits. */
  blocked(id: number): number {
    const known = this.#blocked.get(id)
    if (known !== undefined) return known
    const producer: Node | undefined = this.#producers.get(id)
    const source: number | undefined =
      producer?.op === 'broadcastTo' ? this.operand(producer.inputs[0]!, this.shape(id)) : undefined
    const [batch, channels, height, width] = this.shape(id) as [number, number, number, number]
    const made =
      source === undefined
        ? this.one('toBlocked', [this.plain(id)], { block: this.block })
        : this.one('broadcastTo', [source], { shape: [batch, channels / this.block, height, width, this.block] })
    this.#blocked.set(id, made)
    return made
  }

  /** An operand that broadcasts to the image `target`, in the form that broadcasts to its blocked form; undefined if it has none. */
  operand(id: number, target: Sizes): number | undefined {
    const { shape } = this.values[id]!
    if (this.#blocked.has(id)) return this.#blocked.get(id)
    if (shape.length === 0) return id
    if (!isFixed(shape) || shape.length > 4) return undefined
    const [n, c, h, w] = [...new Array<number>(4 - shape.length).fill(1), ...shape] as [number, number, number, number]
    if (c === 1) return this.reshape(this.plain(id), [n, 1, h, w, 1])
    if (h === 1 && w === 1) return this.reshape(this.plain(id), [n, c / this.block, 1, 1, this.block])
    return shape.join() === target.join() && this.fits(id) ? this.blocked(id) : undefined
  }

  affine(x: number, scale: number, options: { shift?: number; addend?: number; pads?: Sizes } = {}): number {
    const { shift, addend, pads = [0, 0, 0, 0] } = options
    const inputs = [x, scale, shift, addend].flatMap((id) => id ?? [])
    return this.one('blockedAffine', inputs, { shift: shift !== undefined, relu: false, pads })
  }

  /** Sums of a blocked value over the positions: [N, C]. Two steps, each along memory. */
  sumPositions(x: number): number {
    const [batch, channels, height, width] = imageShape(this.shape(x))
    const rows = this.reshape(x, [(batch * channels) / this.block, height * width, this.block])
    return this.reshape(this.one('sum', [rows], { axes: [1], keepDims: false }), [batch, channels])
  }

  /** Sums of a blocked value over all but the channels: [C]. */
  sumChannels(x: number): number {
    return this.one('sum', [this.sumPositions(x)], { axes: [0], keepDims: false })
  }

  scalar(value: number): number {
    return this.constant(new Float32Array([value]), [])
  }
}

type Rule = (rewriter: Rewriter, node: Node) => boolean

const sizes = (value: Attributes[string] | undefined) => value as Sizes

function rewritePointwise(rewriter: Rewriter, node: Node): boolean {
  const shape = rewriter.shape(node.outputs[0]!)
  const full = node.inputs.filter((id) => rewriter.isBlocked(id) && rewriter.shape(id).join() === shape.join())
  if (full.length === 0) return false
  const inputs = node.inputs.map((id) => rewriter.operand(id, shape))
  if (inputs.some((id) => id === undefined)) return false
  rewriter.apply(node.op, inputs as number[], node.attributes).forEach((made, index) => {
    rewriter.settle(node, index, made)
  })
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

const rules: Readonly<Partial<Record<OpName, Rule>>> = {
  conv(rewriter, node) {
    const [x, weight, bias] = node.inputs as [number, number, number | undefined]
    const { groups, ...settings } = node.attributes
    const [y] = node.outputs as [number]
    const shape = rewriter.values[x]!.shape
    if (groups !== 1 || !rewriter.fits(y) || !isFixed(shape)) return false
    const few = shape[1]! < rewriter.block
    if (!few && !rewriter.fits(x)) return false
    const inputs = [
      few ? rewriter.plain(x) : rewriter.blocked(x),
      rewriter.plain(weight),
      ...(bias === undefined ? [] : [rewriter.plain(bias)]),
    ]
    rewriter.settle(node, 0, rewriter.one('blockedConv', inputs, { ...settings, relu: false, block: rewriter.block }))
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
    const attributes = { stride: stride!, pads: pads!, size, block: rewriter.block }
    const made = rewriter.one('blockedConvTranspose', [rewriter.blocked(x), rewriter.plain(weight)], attributes)
    const shifted = () => rewriter.affine(made, rewriter.ones(rewriter.shape(y)[1]!), { shift: rewriter.plain(bias!) })
    rewriter.settle(node, 0, bias === undefined ? made : shifted())
    return true
  },

  convWeightGradient(rewriter, node) {
    const [x, dy] = node.inputs as [number, number]
    const { stride, pads, dilation, kernel, groups } = node.attributes
    const shape = rewriter.values[x]!.shape
    if (groups !== 1 || !rewriter.fits(dy) || !isFixed(shape) || shape[0]! % rewriter.block !== 0) return false
    const positions = rewriter.shape(dy).slice(2)
    const before = sizes(pads).slice(0, 2)
    const after = before.map((amount, axis) => {
      const reach = sizes(stride)[axis]! * (positions[axis]! - 1) + sizes(dilation)[axis]! * (sizes(kernel)[axis]! - 1) + 1
      return Math.max(0, reach - amount - shape[axis + 2]!)
    })
    const around = [...before, ...after]
    const padded = (id: number, channels: number) =>
      around.some(Boolean) ? rewriter.affine(id, rewriter.ones(channels), { pads: around }) : id
    // Channels beside each other give the kernel more to do at once, but not where the steps along the width are larger than 1.
    const lanes = rewriter.fits(x) && sizes(dilation)[1] === 1 ? rewriter.block : 1
    const swapped = () => {
      const samples = rewriter.one('transpose', [rewriter.plain(x)], { order: [1, 0, 2, 3] })
      return padded(rewriter.one('toBlocked', [samples], { block: rewriter.block }), shape[0]!)
    }
    const input = lanes > 1 ? rewriter.one('swapSamples', [padded(rewriter.blocked(x), shape[1]!)]) : swapped()
    const attributes = { stride: stride!, dilation: dilation!, kernel: kernel!, lanes, block: rewriter.block }
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
}

function inverseDeviation(rewriter: Rewriter, variance: number, { epsilon }: Attributes): number {
  const raised = rewriter.one('add', [variance, rewriter.scalar(epsilon as number)])
  return rewriter.one('reciprocal', [rewriter.one('sqrt', [raised])])
}

/** An addition or a ReLU that alone reads the result of a blocked kernel is computed by that kernel. */
function absorb(program: Program): Program {
  const uses = useCounts(program)
  const made = new Map<number, Node>()
  const nodes = program.nodes.map((original): Node => {
    const node = absorbed(original, program, (id) => (uses.get(id) === 1 ? made.get(id) : undefined))
    for (const id of node.outputs) made.set(id, node)
    return node
  })
  return deadCode({ ...program, nodes })
}

function absorbed(node: Node, { values }: Program, only: (id: number) => Node | undefined): Node {
  if (node.op === 'relu') {
    const kernel = only(node.inputs[0]!)
    if (kernel?.attributes.relu !== false) return node
    return { ...kernel, outputs: node.outputs, attributes: { ...kernel.attributes, relu: true } }
  }
  if (node.op === 'add') {
    for (const [id, addend] of [node.inputs, [...node.inputs].reverse()] as [number, number][]) {
      const kernel = only(id)
      const open =
        kernel?.op === 'blockedAffine' && !kernel.attributes.relu && kernel.inputs.length === (kernel.attributes.shift ? 3 : 2)
      if (open && values[addend]!.shape.join() === values[id]!.shape.join())
        return { ...kernel, inputs: [...kernel.inputs, addend], outputs: node.outputs }
    }
  }
  return node
}

/** Whether the layout of images matters to a program. */
export const hasConvolution = ({ nodes }: Program): boolean => nodes.some(({ op }) => op in convolution)

/**
 * Convolutions, and what lies between them, in blocks of `block` channels (see `ops/blocked.ts`). Kinds, sizes and settings
 * that do not fit keep their plain form. Results differ from the plain ones by rounding only.
 */
export function blockLayout(program: Program, block: number): Program {
  return absorb(commonSubexpressions(deadCode(new Rewriter(program, block).run())))
}
