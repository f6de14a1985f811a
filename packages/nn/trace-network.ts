import { type InputSpec, type Program, type Tensor, trace } from '@enigma/tensor'
import { NnError } from './errors.js'
import { LayerBuffer } from './layer-buffer.js'
import { Parameter } from './parameter.js'

type AnyBuffer = LayerBuffer<'f32' | 'i64'>

export interface TracedNetwork {
  readonly program: Program
  /** Names of the outputs that were asked for; the program may have updates besides. */
  readonly outputs: readonly string[]
  /** The parameters the program uses, by the name of the input each became: feed them with every run. */
  readonly parameters: Readonly<Record<string, Parameter>>
  /** The buffers it uses, likewise. */
  readonly buffers: Readonly<Record<string, AnyBuffer>>
  /** The buffers that a run gives new numbers, by the name of the output that holds these. */
  readonly updates: Readonly<Record<string, AnyBuffer>>
}

/** Traces a computation that uses layers. `training` switches dropout on; default false. */
export function traceNetwork<I extends string>(
  inputs: Readonly<Record<I, InputSpec>>,
  body: (inputs: Readonly<Record<I, Tensor>>) => Readonly<Record<string, Tensor>>,
  options: { readonly training?: boolean } = {},
): TracedNetwork {
  const parameters: Record<string, Parameter> = {}
  const buffers: Record<string, AnyBuffer> = {}
  const updates: Record<string, AnyBuffer> = {}
  let names: string[] = []
  const program = trace(
    inputs,
    (tensors, builder) => {
      const outputs = body(tensors)
      names = Object.keys(outputs)
      for (const { source, name } of builder.captured()) {
        if (source instanceof Parameter) parameters[name] = source
        else if (source instanceof LayerBuffer) buffers[name] = source
        else throw new NnError('INVALID_ARGUMENT', 'A network can only capture parameters and buffers.')
      }
      for (const { source, name } of builder.updates()) {
        if (!(source instanceof LayerBuffer)) throw new NnError('INVALID_ARGUMENT', 'A program can only update buffers.')
        updates[name] = source
      }
      return outputs
    },
    options,
  )
  return { program, outputs: names, parameters, buffers, updates }
}
