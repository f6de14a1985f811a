import { dtypes, sizeOf } from '../dtype.js'
import { TensorError } from '../errors.js'
import type { Program } from '../program.js'
import { type GraphOptions, graphOf, type OnnxTarget } from './graph.js'
import { encodeModel, irVersions } from './protobuf.js'

const protobufLimit = 2 ** 31 - 1

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
  const { opset = 18, doc, metadata = {}, target = 'onnxruntime', annotated = false } = options
  if (!Object.hasOwn(irVersions, opset))
    throw new TensorError('UNSUPPORTED_OP', `opset must be one of ${Object.keys(irVersions).join(', ')}, got ${opset}.`)
  const graph = graphOf(program, options)
  const size = graph.initializers.reduce((sum, { shape, dtype }) => sum + sizeOf(shape) * dtypes[dtype].bytes, 0)
  if (size > protobufLimit - 2 ** 20)
    throw new TensorError(
      'OUT_OF_MEMORY',
      `The program's constants take ${size} bytes; one ONNX file holds 2 GiB. Pass the weights as inputs.`,
    )
  const random = program.inputs.flatMap((input) => (input.random ? [[input.name, input.random] as const] : []))
  const own = annotated
    ? {
        [metadataKeys.target]: target satisfies OnnxTarget,
        ...(random.length > 0 && { [metadataKeys.random]: JSON.stringify(Object.fromEntries(random)) }),
      }
    : {}
  const domains = target === 'onnxruntime' ? ['com.microsoft'] : []
  return encodeModel(graph, {
    opset,
    producerVersion,
    domains,
    ...(doc !== undefined && { doc }),
    metadata: { ...metadata, ...own },
  })
}
