import { callerLine } from '../caller-line.js'
import type { DType } from '../dtype.js'
import { TensorError } from '../errors.js'
import type { Attributes, Dim, Dims, Value } from '../program.js'
import type { Tensor } from '../tensor.js'

/** What a derivative rule sees of a node. */
export interface VjpContext {
  readonly inputs: readonly Tensor[]
  readonly outputs: readonly Tensor[]
  readonly attributes: Attributes
  /** Gradient of the result with respect to each output; undefined where nothing depends on it. */
  readonly gradients: readonly (Tensor | undefined)[]
}

/** A gradient for each input; undefined where there is none. */
export type Gradients = (Tensor | undefined)[]

/** What a lowering rule emits into. Names are those of ONNX values. */
export interface LowerContext {
  readonly inputs: readonly (Value & { readonly name: string })[]
  readonly outputs: readonly (Value & { readonly name: string })[]
  readonly attributes: Attributes
  /** Emits one ONNX node. `outputs` defaults to one fresh name, which is returned. `''` stands for an absent operand. */
  emit(
    op: string,
    inputs: readonly string[],
    attributes?: Readonly<Record<string, OnnxAttribute>>,
    options?: { readonly outputs?: readonly string[]; readonly domain?: string },
  ): string
  /** Whether anything reads output `index`; auxiliary results nobody reads allow a cheaper lowering. */
  isUsed(index: number): boolean
  /** The name of an f32 constant; equal keys share one. */
  tensor(key: string, shape: readonly number[], make: () => Float32Array): string
  /** The name of an int64 constant (shapes, axes). */
  ints(values: readonly number[], shape?: readonly number[]): string
  /** The name of a scalar constant. */
  scalar(value: number, dtype?: DType): string
}

export type OnnxAttribute = number | string | readonly number[] | { readonly float: number }

/** One op, in one place: what it is, its shape rule, its derivative, its lowering to ONNX. */
export interface OpDefinition {
  /** One sentence with the formula; the op reference is generated from it. */
  readonly summary: string
  /** How many outputs are results; those after them are auxiliary, for the derivative to reuse. Default 1. */
  readonly results?: number
  /** Runs as its decomposition wherever an auxiliary output is used: ONNX's node does not give it. */
  readonly unrolled?: boolean
  /** Shapes and dtypes of the outputs. */
  infer(inputs: readonly Value[], attributes: Attributes): Value[]
  /** Gradients with respect to the inputs (undefined: none). Absent: those of `decompose`, or the op is not differentiable. */
  readonly vjp?: (context: VjpContext) => Gradients
  /**
   * All outputs in terms of simpler ops. Needed by ops with auxiliary outputs, through which a second derivative flows.
   */
  readonly decompose?: (inputs: readonly Tensor[], attributes: Attributes, gradients: readonly (Tensor | undefined)[]) => Tensor[]
  lower(context: LowerContext): void
  /** For ops whose second input holds indices: how many things these choose from, and which index stands for none. */
  readonly indices?: (inputs: readonly Value[], attributes: Attributes) => IndexRange
}

export interface IndexRange {
  readonly rows: Dim
  readonly none?: number
}

/** A group of ops; the names become part of `OpName`. */
export function defineOps<Name extends string>(definitions: Record<Name, OpDefinition>): Readonly<Record<Name, OpDefinition>> {
  return definitions
}

const show = (shape: Dims) => `[${shape.join(', ')}]`

export function shapeError(op: string, problem: string, shapes: readonly Dims[]): TensorError {
  return new TensorError('SHAPE_MISMATCH', `${op}: ${problem}; shapes ${shapes.map(show).join(' and ')}${callerLine()}`)
}

export function expectDtype(op: string, value: Value, ...allowed: DType[]): void {
  if (!allowed.includes(value.dtype))
    throw new TensorError(
      'DTYPE_MISMATCH',
      `${op}: expected ${allowed.join(' or ')}, got ${value.dtype}${show(value.shape)}. Use cast() first.${callerLine()}`,
    )
}

/** The shape two operands broadcast to (NumPy's rule). */
export function broadcast(op: string, a: Dims, b: Dims): Dim[] {
  const rank = Math.max(a.length, b.length)
  return Array.from({ length: rank }, (_, index) => {
    const x = a[a.length - rank + index] ?? 1
    const y = b[b.length - rank + index] ?? 1
    if (x !== y && x !== 1 && y !== 1) throw shapeError(op, 'shapes do not broadcast', [a, b])
    return x === 1 ? y : x
  })
}

export function normalizeAxis(op: string, axis: number, shape: Dims): number {
  const result = axis < 0 ? axis + shape.length : axis
  if (!Number.isInteger(result) || result < 0 || result >= shape.length)
    throw shapeError(op, `axis ${axis} is out of range`, [shape])
  return result
}

/** The shape as numbers, for ops that cannot work with sizes unknown at compile time. */
export function fixed(op: string, shape: Dims): number[] {
  return shape.map((dim) => {
    if (typeof dim !== 'number')
      throw shapeError(op, `needs a fixed size, but '${dim}' is known only when the program runs`, [shape])
    return dim
  })
}
