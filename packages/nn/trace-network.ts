import { type InputSpec, type Program, type Tensor, trace } from '@enigma/tensor'
import { NnError } from './errors.js'
import { Parameter } from './parameter.js'

export interface TracedNetwork {
  readonly program: Program
  /** The parameters the program uses, by the name of the input each became: feed them with every run. */
  readonly parameters: Readonly<Record<string, Parameter>>
}

/** Traces a computation that uses layers. `training` switches dropout on; default false. */
export function traceNetwork<I extends string>(
  inputs: Readonly<Record<I, InputSpec>>,
  body: (inputs: Readonly<Record<I, Tensor>>) => Readonly<Record<string, Tensor>>,
  options: { readonly training?: boolean } = {},
): TracedNetwork {
  const parameters: Record<string, Parameter> = {}
  const program = trace(
    inputs,
    (tensors, builder) => {
      const outputs = body(tensors)
      for (const { source, name } of builder.captured()) {
        if (!(source instanceof Parameter)) throw new NnError('INVALID_ARGUMENT', 'A network can only capture parameters.')
        parameters[name] = source
      }
      return outputs
    },
    options,
  )
  return { program, parameters }
}
