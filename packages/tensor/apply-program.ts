import type { Builder, Operand } from './builder.js'
import { substitute } from './dims.js'
import { TensorError } from './errors.js'
import type { Attributes, Dims, Program } from './program.js'
import type { Tensor } from './tensor.js'

export interface ProgramOperands {
  /** The tensors that stand for the program's inputs, by name. */
  readonly inputs: Readonly<Record<string, Tensor>>
  /** What stands for named constants (trainable weights); those without stay constants. */
  readonly weights?: Readonly<Record<string, Operand>>
}

/**
 * Records all that a program computes in the trace of `builder`, on other tensors: a function call. Sizes that are symbols in the
 * program take those of the tensors. Returns the program's outputs by name.
 * @throws TensorError UNKNOWN_INPUT, DTYPE_MISMATCH, SHAPE_MISMATCH
 */
export function applyProgram(builder: Builder, program: Program, operands: ProgramOperands): Record<string, Tensor> {
  const tensors: Tensor[] = []
  const sizes = new Map<string, number | string>()
  for (const { name, value, random } of program.inputs) {
    const { shape, dtype } = program.values[value]!
    const given = operands.inputs[name] ?? (random && builder.random(random, shape))
    if (!given)
      throw new TensorError('UNKNOWN_INPUT', `The program's input '${name}' is missing. It has: ${namesOf(program.inputs)}.`)
    if (given.dtype !== dtype)
      throw new TensorError('DTYPE_MISMATCH', `The program's input '${name}' is ${dtype}, given ${given.dtype}.`)
    bindSizes(name, shape, given.shape, sizes)
    tensors[value] = given
  }
  for (const { value, data, name } of program.constants) {
    const { shape, dtype } = program.values[value]!
    const weight = name === undefined ? undefined : operands.weights?.[name]
    tensors[value] = weight === undefined ? builder.constant(data, shape as readonly number[], dtype) : builder.lift(weight)
  }
  for (const { op, inputs, outputs, attributes } of program.nodes) {
    const results = builder.apply(
      op,
      inputs.map((id) => tensors[id]!),
      bindAttributes(attributes, sizes),
    )
    outputs.forEach((id, index) => {
      tensors[id] = results[index]!
    })
  }
  return Object.fromEntries(program.outputs.map(({ name, value }) => [name, tensors[value]!]))
}

const namesOf = (inputs: Program['inputs']) => inputs.map(({ name }) => name).join(', ')

function bindSizes(name: string, declared: Dims, given: Dims, sizes: Map<string, number | string>): void {
  const fits =
    declared.length === given.length &&
    declared.every((dim, axis) => {
      const size = given[axis]!
      if (typeof dim === 'number') return dim === size
      const bound = sizes.get(dim)
      if (bound === undefined) sizes.set(dim, size)
      return bound === undefined || bound === size
    })
  if (!fits)
    throw new TensorError(
      'SHAPE_MISMATCH',
      `The program's input '${name}' has the shape [${declared.join(', ')}], given [${given.join(', ')}].`,
    )
}

/** A reshape keeps its target with symbols in it (`symbols`, JSON). */
function bindAttributes(attributes: Attributes, sizes: ReadonlyMap<string, number | string>): Attributes {
  if (typeof attributes.symbols !== 'string') return attributes
  const target = (JSON.parse(attributes.symbols) as Dims).map((dim) => substitute(dim, sizes))
  return {
    ...attributes,
    shape: target.map((dim) => (typeof dim === 'number' ? dim : -1)),
    symbols: JSON.stringify(target),
  }
}
