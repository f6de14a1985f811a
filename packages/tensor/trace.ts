import { Builder, type BuilderOptions, refuseInternal } from './builder.js'
import type { DType } from './dtype.js'
import type { Dims, Program } from './program.js'
import type { Tensor } from './tensor.js'

export interface InputSpec {
  readonly shape: Dims
  /** Default `f32`. */
  readonly dtype?: DType
}

/**
 * Runs `body` once on symbolic tensors and returns what it did as a program.
 *
 * @param inputs shape and dtype of each named input
 * @param body   gets the inputs by name, returns the outputs by name
 * @throws TensorError SHAPE_MISMATCH, naming the op, the shapes and the caller's line; UNKNOWN_OUTPUT for a name that starts with '#'
 */
export function trace<I extends string>(
  inputs: Readonly<Record<I, InputSpec>>,
  body: (inputs: Readonly<Record<I, Tensor>>, builder: Builder) => Readonly<Record<string, Tensor>>,
  options: BuilderOptions = {},
): Program {
  const builder = new Builder(options)
  const entries = Object.entries(inputs) as [I, InputSpec][]
  const tensors = Object.fromEntries(entries.map(([name, spec]) => [name, builder.input(name, spec.shape, spec.dtype)]))
  const outputs = body(tensors as Record<I, Tensor>, builder)
  for (const name of Object.keys(outputs)) refuseInternal('output', name)
  return builder.build(outputs)
}
