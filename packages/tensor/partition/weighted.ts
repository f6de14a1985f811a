import { TensorError } from '../errors.js'
import type { Program } from '../program.js'

export interface Weighting {
  /** Name of the scalar output. */
  readonly of: string
  /** Name of the input it is multiplied by: a number that is fed. */
  readonly by: string
  /** Name of the product, a further output. */
  readonly as: string
}

/** The program with one of its scalars also as a multiple of itself, by a factor that is known when it runs. */
export function weighted(program: Program, { of, by, as }: Weighting): Program {
  const output = program.outputs.find(({ name }) => name === of)
  if (!output) throw new TensorError('UNKNOWN_OUTPUT', `No output '${of}'.`)
  const weight = program.values.length
  const scalar = { shape: [], dtype: 'f32' } as const
  return {
    ...program,
    values: [...program.values, scalar, scalar],
    inputs: [...program.inputs, { name: by, value: weight }],
    nodes: [...program.nodes, { op: 'mul', inputs: [output.value, weight], outputs: [weight + 1], attributes: {} }],
    outputs: [...program.outputs, { name: as, value: weight + 1 }],
  }
}
