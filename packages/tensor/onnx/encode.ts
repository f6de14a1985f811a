import { TensorError } from '../errors.js'
import type { Program } from '../program.js'
import { bytesOf, contentOf, type ExternalPlace, placesOf } from './external.js'
import { type GraphOptions, graphOf, type OnnxTarget } from './graph.js'
import { encodeModel, irVersions, type OnnxGraph } from './protobuf.js'

/** Bytes of constants that fit in a model's file: a protobuf ends at 2 GiB, and the nodes need some of it. */
export const oneFileBytes = 2 ** 31 - 2 ** 20

/** This package's version, written into each file. */
const producerVersion = '0.1.0'

export interface OnnxOptions extends GraphOptions {
  /** Version of ONNX's operator set, 18 to 22. Default 18. */
  readonly opset?: number
  /** A sentence about the model, kept in the file. */
  readonly doc?: string
  /** Further entries that the file keeps: keys and values. Keys that start with `enigma.` are ours. */
  readonly metadata?: Readonly<Record<string, string>>
}

/** What a file says of itself for `fromOnnx`. */
export const metadataKeys = { target: 'enigma.target', random: 'enigma.random' } as const

/**
 * A program as an ONNX model. Inputs, outputs and named constants keep their names; constants become initializers. By default
 * it is written for ONNX Runtime (with `com.microsoft` operators); `target: 'portable'` uses ONNX's own operators only.
 *
 * @throws TensorError OUT_OF_MEMORY when the constants exceed what one protobuf holds (2 GiB); UNSUPPORTED_OP
 */
export function toOnnx(program: Program, options: OnnxOptions = {}): Uint8Array {
  const graph = graphOf(program, options)
  const size = graph.initializers.reduce((sum, initializer) => sum + bytesOf(initializer), 0)
  if (size > oneFileBytes)
    throw new TensorError(
      'OUT_OF_MEMORY',
      `The program's constants take ${(size / 2 ** 30).toFixed(1)} GiB (${size} bytes); one ONNX file holds 2 GiB. Make them inputs, or write a file: net.toOnnx(file) and toOnnxWithData keep them in a second one.`,
    )
  return encoded(program, graph, options)
}

/**
 * The same with the constants of 1 KiB and more in a file beside it, of any size: its name is `location`, without a folder, and its
 * content `data`, in pieces. Runtimes that are given the model's path find it.
 *
 * @throws TensorError UNSUPPORTED_OP
 */
export function toOnnxWithData(
  program: Program,
  location: string,
  options: OnnxOptions = {},
): { readonly bytes: Uint8Array; readonly data: Iterable<Uint8Array> } {
  const graph = graphOf(program, options)
  const places = placesOf(graph.initializers, location)
  return { bytes: encoded(program, graph, options, places), data: contentOf(graph.initializers, places) }
}

function encoded(
  program: Program,
  graph: OnnxGraph,
  { opset = 18, doc, metadata = {}, target = 'onnxruntime', annotated = false }: OnnxOptions,
  places?: ReadonlyMap<string, ExternalPlace>,
): Uint8Array {
  if (!Object.hasOwn(irVersions, opset))
    throw new TensorError('UNSUPPORTED_OP', `opset must be one of ${Object.keys(irVersions).join(', ')}, got ${opset}.`)
  const random = program.inputs.flatMap((input) => (input.random ? [[input.name, input.random] as const] : []))
  const own = annotated
    ? {
        [metadataKeys.target]: target satisfies OnnxTarget,
        ...(random.length > 0 && { [metadataKeys.random]: JSON.stringify(Object.fromEntries(random)) }),
      }
    : {}
  const domains = target === 'onnxruntime' ? ['com.microsoft'] : []
  const header = { opset, producerVersion, domains, ...(doc !== undefined && { doc }), metadata: { ...metadata, ...own } }
  return encodeModel(graph, header, places)
}
