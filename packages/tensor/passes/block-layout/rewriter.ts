import { type OpName, opTable } from '../../ops/index.js'
import type { Attributes, Node, Program, Value } from '../../program.js'
import { producers } from '../uses.js'

export type Sizes = readonly number[]

export const isFixed = (shape: Value['shape']): shape is Sizes => shape.every((dim) => typeof dim === 'number')

/**
 * A program under conversion. Each value of the original has its own id throughout, and, once something made it, the id of its
 * blocked form. What reads the plain form of a value that was only made in blocks gets it converted on first use, so layouts
 * change only where they meet.
 */
export class Rewriter {
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

  /** The program in which `rewrite` has had its way with each node, or, where it returned false, the node is as it was. */
  run(rewrite: (rewriter: Rewriter, node: Node) => boolean): Program {
    for (const node of this.program.nodes) if (!rewrite(this, node)) this.keep(node)
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
    const made =
      source === undefined
        ? this.one('toBlocked', [this.plain(id)], { block: this.block })
        : this.reshape(this.one('broadcastTo', [source], { shape: this.inMemory(this.shape(id)) }), this.shape(id))
    this.#blocked.set(id, made)
    return made
  }

  /** How an image lies in memory when it is blocked. */
  inMemory(shape: Sizes): Sizes {
    const [batch, channels, height, width] = shape as [number, number, number, number]
    return [batch, channels / this.block, height, width, this.block]
  }

  /** An operand that broadcasts to the image `target`, shaped so that it broadcasts to its form in memory; undefined if there is none. */
  operand(id: number, target: Sizes): number | undefined {
    const { shape } = this.values[id]!
    if (shape.length === 0) return id
    if (this.#blocked.has(id)) return this.#blocked.get(id)
    if (!isFixed(shape) || shape.length > 4) return undefined
    const [n, c, h, w] = [...new Array<number>(4 - shape.length).fill(1), ...shape] as [number, number, number, number]
    if (c === 1) return this.reshape(this.plain(id), [n, 1, h, w, 1])
    if (h === 1 && w === 1) return this.reshape(this.plain(id), [n, c / this.block, 1, 1, this.block])
    return shape.join() === target.join() && this.fits(id) ? this.blocked(id) : undefined
  }

  affine(x: number, scale: number, options: { shift?: number; addend?: number; pads?: Sizes; stride?: Sizes } = {}): number {
    const { shift, addend, pads = [0, 0, 0, 0], stride = [1, 1] } = options
    const inputs = [x, scale, shift, addend].flatMap((id) => id ?? [])
    return this.one('blockedAffine', inputs, { shift: shift !== undefined, relu: false, pads, stride })
  }

  /** Sums of a blocked value over the positions: [N, C]. Two steps, each along memory. */
  sumPositions(x: number): number {
    const [batch, channels, height, width] = this.shape(x) as [number, number, number, number]
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
