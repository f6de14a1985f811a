import type { DType, TypedArray } from './dtype.js'
import type { RandomKinds } from './kernels/random.js'
import type { OpName } from './ops/index.js'

/** A dimension: its size, or the name of a size that is known only when the program runs (`'batch'`). */
export type Dim = number | string
export type Dims = readonly Dim[]

/** Settings of a node that are fixed when it is traced. */
export type Attribute = number | boolean | string | readonly number[]
export type Attributes = Readonly<Record<string, Attribute>>

/**
 * Where the runtime takes an f32 input from that nobody feeds: fresh random numbers, such as a dropout mask
 * (`{ kind: 'bernoulli', p }`: 0 with probability p, else 1/(1-p)).
 */
export type RandomSource = { [K in keyof RandomKinds]: { readonly kind: K } & Required<RandomKinds[K]> }[keyof RandomKinds]

export interface Value {
  readonly shape: Dims
  readonly dtype: DType
}

/** One operation; values are indices into `Program.values`. */
export interface Node {
  readonly op: OpName
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
  readonly attributes: Attributes
}

export interface ProgramInput {
  readonly name: string
  readonly value: number
  readonly random?: RandomSource
}

export interface ProgramConstant {
  readonly value: number
  readonly data: TypedArray
  /** A weight's name; constants without one get one when they are written to a file. */
  readonly name?: string
}

export interface ProgramOutput {
  readonly name: string
  readonly value: number
}

/**
 * A traced program: straight-line code over tensors, in an order in which every value is made before it is used.
 * Immutable data; passes and differentiation make new programs.
 */
export interface Program {
  readonly values: readonly Value[]
  readonly inputs: readonly ProgramInput[]
  readonly constants: readonly ProgramConstant[]
  readonly nodes: readonly Node[]
  readonly outputs: readonly ProgramOutput[]
}

/** The program as text, one line a node, for people and error messages. */
export function printProgram(program: Program): string {
  const type = (id: number) => {
    const value = program.values[id]!
    return `%${id}: ${value.dtype}[${value.shape.join(', ')}]`
  }
  return [
    ...program.inputs.map((input) => `input ${input.name} = ${type(input.value)}`),
    ...program.constants.map((constant) => `constant ${type(constant.value)}`),
    ...program.nodes.map((node) => {
      const attributes = Object.entries(node.attributes).map(([key, value]) => `${key}=${JSON.stringify(value)}`)
      return `${node.outputs.map(type).join(', ')} = ${node.op}(${[...node.inputs.map((id) => `%${id}`), ...attributes].join(', ')})`
    }),
    ...program.outputs.map((output) => `output ${output.name} = %${output.value}`),
  ].join('\n')
}
