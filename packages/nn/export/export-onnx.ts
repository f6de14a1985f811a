import {
  type DType,
  type InputSpec,
  type OnnxOptions,
  type OnnxTarget,
  optimize,
  type Program,
  type Tensor,
  TensorError,
  toOnnx,
} from '@enigma/tensor'
import { NnError } from '../errors.js'
import type { Layer } from '../layer.js'
import { type TracedNetwork, traceNetwork } from '../trace-network.js'

export interface ExportOptions {
  /**
   * Shape (and dtype) of each input of `forward`, in its order, under the name it gets in the file. A size may be a name
   * (`'length'`) where the network allows any.
   */
  readonly inputs?: Readonly<Record<string, InputSpec>>
  /** How the inputs go through the network. Default: in order into `net.forward`. */
  readonly forward?: (inputs: Readonly<Record<string, Tensor>>) => Tensor | Readonly<Record<string, Tensor>>
  /** Name of the output where `forward` returns one tensor. Default `output`. */
  readonly output?: string
  /**
   * The first size of each input becomes a name, so that the file takes batches of any size. Default: `batch` where the network
   * allows that, else sizes stay as given; with a name given here a network that does not is an error. `false` keeps all sizes.
   */
  readonly batch?: string | false
  /** `portable` (default) uses ONNX's own operators, which every runtime has; `onnxruntime` fused ones too. */
  readonly target?: OnnxTarget
  /** Version of ONNX's operator set, 18 to 22. Default 18. */
  readonly opset?: number
  /**
   * Weights of 1 KiB and more lie in a second file beside the model's, `<file>.data`, as ONNX's external data; the two belong
   * together. Of `toOnnx` only. Default: where the weights exceed the 2 GiB that one file holds.
   */
  readonly externalData?: boolean
  /** A sentence about the model, kept in the file. */
  readonly doc?: string
  /** Further entries that the file keeps. */
  readonly metadata?: Readonly<Record<string, string>>
}

export interface ExportedOnnx {
  readonly bytes: Uint8Array
  readonly inputs: Readonly<Record<string, { readonly shape: readonly (number | string)[]; readonly dtype: DType }>>
  readonly outputs: Readonly<Record<string, { readonly shape: readonly (number | string)[]; readonly dtype: DType }>>
}

/** The key under which a file says which of its weights are buffers. */
export const buffersKey = 'enigma.buffers'

/**
 * A network in evaluation (no dropout, running statistics) as an ONNX model. Weights lie in it under their names in `stateDict`.
 *
 * @throws NnError INVALID_ARGUMENT for inputs that are missing or have the name of a weight; TensorError SHAPE_MISMATCH,
 * UNSUPPORTED_OP, OUT_OF_MEMORY (beyond 2 GiB, which `toOnnx` writes into two files)
 */
export function exportOnnx(net: Layer, options: ExportOptions): ExportedOnnx {
  const { program, settings, ...described } = programForExport(net, options)
  return { bytes: toOnnx(program, settings), ...described }
}

/** What `exportOnnx` and `writeOnnx` write, and how. */
export function programForExport(
  net: Layer,
  options: ExportOptions,
): { readonly program: Program; readonly settings: OnnxOptions } & Omit<ExportedOnnx, 'bytes'> {
  const { inputs, target = 'portable', opset, doc, metadata = {} } = options
  if (!inputs || Object.keys(inputs).length === 0)
    throw new NnError('INVALID_ARGUMENT', 'toOnnx needs the shapes of the inputs: { inputs: { x: { shape: [1, 784] } } }.')
  const program = optimize(withWeights(traceForExport(net, inputs, options), net))
  const buffers = [...net.namedBuffers()].map(([name]) => name)
  const settings = {
    target,
    annotated: true,
    ...(opset !== undefined && { opset }),
    ...(doc !== undefined && { doc }),
    metadata: { ...metadata, ...(buffers.length > 0 && { [buffersKey]: JSON.stringify(buffers) }) },
  } as const
  const described = (values: Program['inputs'] | Program['outputs']) =>
    Object.fromEntries(values.map(({ name, value }) => [name, program.values[value]!]))
  return { program, settings, inputs: described(program.inputs), outputs: described(program.outputs) }
}

function traceForExport(net: Layer, inputs: Readonly<Record<string, InputSpec>>, options: ExportOptions): TracedNetwork {
  const { output = 'output', batch, forward = inOrder(net) } = options
  const body = (tensors: Readonly<Record<string, Tensor>>) => {
    const result = forward(tensors)
    return isTensor(result) ? { [output]: result } : result
  }
  if (batch === false) return traceNetwork(inputs, body)
  const symbolic = Object.entries(inputs).map(([name, { shape, ...rest }]) => {
    return [name, { ...rest, shape: shape.length === 0 ? shape : [batch ?? 'batch', ...shape.slice(1)] }] as const
  })
  try {
    return traceNetwork(Object.fromEntries(symbolic), body)
  } catch (error) {
    if (batch !== undefined || !(error instanceof TensorError)) throw error
    return traceNetwork(inputs, body)
  }
}

const inOrder = (net: Layer) => (tensors: Readonly<Record<string, Tensor>>) =>
  (net.forward.bind(net) as (...inputs: Tensor[]) => Tensor)(...Object.values(tensors))

const isTensor = (value: Tensor | Readonly<Record<string, Tensor>>): value is Tensor => 'builder' in value && 'dtype' in value

/** The program with its weights as constants, under their names in `stateDict`. */
function withWeights({ program, parameters, buffers }: TracedNetwork, net: Layer): Program {
  const names = new Map([...net.namedParameters(), ...net.namedBuffers()].map(([name, weight]) => [weight, name] as const))
  const captured = new Map(Object.entries({ ...parameters, ...buffers }))
  const inputs = program.inputs.filter(({ name }) => !captured.has(name))
  const taken = new Set([...inputs, ...program.outputs].map(({ name }) => name))
  const weights = program.inputs.flatMap(({ name: input, value }) => {
    const weight = captured.get(input)
    if (!weight) return []
    const name = names.get(weight)
    if (name !== undefined && taken.has(name))
      throw new NnError('INVALID_ARGUMENT', `'${name}' is a weight of the network. Give the input or output another name.`)
    return [{ value, data: weight.data, ...(name !== undefined && { name }) }]
  })
  return { ...program, inputs, constants: [...program.constants, ...weights] }
}
