import protobuf from 'protobufjs/minimal.js'
import type { DType, TypedArray } from '../dtype.js'
import { dtypes } from '../dtype.js'
import type { OnnxAttribute } from '../ops/define.js'
import type { Dims } from '../program.js'
import type { ExternalPlace } from './external.js'

/** The part of ONNX's messages (onnx.proto) that an encoded program uses. Numbers are field numbers there. */
export interface OnnxNode {
  readonly name: string
  readonly op: string
  readonly domain: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: Readonly<Record<string, OnnxAttribute>>
  readonly doc?: string
}

export interface OnnxInitializer {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly number[]
  /** Makes the elements: only when they are asked for. */
  readonly data: () => TypedArray
}

export interface OnnxValue {
  readonly name: string
  readonly dtype: DType
  readonly shape: Dims
}

export interface OnnxGraph {
  readonly name: string
  readonly nodes: readonly OnnxNode[]
  readonly initializers: readonly OnnxInitializer[]
  readonly inputs: readonly OnnxValue[]
  readonly outputs: readonly OnnxValue[]
}

/** What a model says of itself. */
export interface OnnxHeader {
  readonly opset: number
  readonly producerVersion: string
  /** Operator sets that the runtime may use beside those of the nodes, for kernels it fuses itself. */
  readonly domains?: readonly string[]
  readonly doc?: string
  readonly metadata?: Readonly<Record<string, string>>
}

/** Operator set versions that programs can be written for, and the version of the file format each came with. */
export const irVersions: Readonly<Record<number, number>> = { 18: 8, 19: 9, 20: 9, 21: 10, 22: 10 }

/** Field numbers of onnx.proto, by message. */
export const fields = {
  model: { irVersion: 1, producer: 2, producerVersion: 3, doc: 6, graph: 7, opset: 8, metadata: 14 },
  opset: { domain: 1, version: 2 },
  entry: { key: 1, value: 2 },
  graph: { node: 1, name: 2, initializer: 5, input: 11, output: 12 },
  node: { input: 1, output: 2, name: 3, op: 4, attribute: 5, doc: 6, domain: 7 },
  attribute: { name: 1, float: 2, int: 3, string: 4, ints: 8, type: 20 },
  tensor: { dims: 1, dtype: 2, name: 8, raw: 9, external: 13, location: 14 },
  value: { name: 1, type: 2 },
  type: { tensor: 1 },
  tensorType: { dtype: 1, shape: 2 },
  shape: { dim: 1 },
  dim: { size: 1, symbol: 2 },
} as const

/** `TensorProto.DataLocation`: the elements are in another file. */
export const external = 1

const attributeTypes = { float: 1, int: 2, string: 3, ints: 7 } as const

const varint = 0
const fixed32 = 5
const delimited = 2
const tag = (field: number, wire: number) => (field << 3) | wire

type Writer = protobuf.Writer

function message(writer: Writer, field: number, body: (writer: Writer) => void): void {
  writer.uint32(tag(field, delimited)).fork()
  body(writer)
  writer.ldelim()
}

const text = (writer: Writer, field: number, value: string) => writer.uint32(tag(field, delimited)).string(value)
const integer = (writer: Writer, field: number, value: number) => writer.uint32(tag(field, varint)).int64(value)

function writeAttribute(writer: Writer, name: string, value: OnnxAttribute): void {
  const field = fields.attribute
  text(writer, field.name, name)
  if (typeof value === 'number') {
    integer(writer, field.int, value)
    integer(writer, field.type, attributeTypes.int)
  } else if (typeof value === 'string') {
    text(writer, field.string, value)
    integer(writer, field.type, attributeTypes.string)
  } else if ('float' in value) {
    writer.uint32(tag(field.float, fixed32)).float(value.float)
    integer(writer, field.type, attributeTypes.float)
  } else {
    for (const item of value) integer(writer, field.ints, item)
    integer(writer, field.type, attributeTypes.ints)
  }
}

function writeNode(writer: Writer, node: OnnxNode): void {
  const field = fields.node
  for (const name of node.inputs) text(writer, field.input, name)
  for (const name of node.outputs) text(writer, field.output, name)
  text(writer, field.name, node.name)
  text(writer, field.op, node.op)
  for (const [name, value] of Object.entries(node.attributes))
    message(writer, field.attribute, (w) => writeAttribute(w, name, value))
  if (node.doc !== undefined) text(writer, field.doc, node.doc)
  text(writer, field.domain, node.domain)
}

function writeEntry(writer: Writer, key: string, value: string): void {
  text(writer, fields.entry.key, key)
  text(writer, fields.entry.value, value)
}

function writeInitializer(writer: Writer, { name, dtype, shape, data }: OnnxInitializer, place: ExternalPlace | undefined): void {
  for (const dim of shape) integer(writer, fields.tensor.dims, dim)
  integer(writer, fields.tensor.dtype, dtypes[dtype].onnx)
  text(writer, fields.tensor.name, name)
  if (place) {
    for (const [key, value] of Object.entries(place))
      message(writer, fields.tensor.external, (w) => writeEntry(w, key, String(value)))
    integer(writer, fields.tensor.location, external)
    return
  }
  const elements = data()
  writer
    .uint32(tag(fields.tensor.raw, delimited))
    .bytes(new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength))
}

function writeValue(writer: Writer, { name, dtype, shape }: OnnxValue): void {
  text(writer, fields.value.name, name)
  message(writer, fields.value.type, (type) =>
    message(type, fields.type.tensor, (tensor) => {
      integer(tensor, fields.tensorType.dtype, dtypes[dtype].onnx)
      message(tensor, fields.tensorType.shape, (dims) => {
        for (const dim of shape)
          message(dims, fields.shape.dim, (w) => {
            if (typeof dim === 'number') integer(w, fields.dim.size, dim)
            else text(w, fields.dim.symbol, dim)
          })
      })
    }),
  )
}

/**
 * Serialises a graph as a ModelProto; initializers that have a place elsewhere are not in it. A protobuf ends at 2 GiB; the caller
 * checks the size of the others.
 */
export function encodeModel(
  graph: OnnxGraph,
  { opset, producerVersion, doc, metadata = {}, domains = [] }: OnnxHeader,
  places: ReadonlyMap<string, ExternalPlace> = new Map(),
): Uint8Array {
  const writer = protobuf.Writer.create()
  const field = fields.model
  integer(writer, field.irVersion, irVersions[opset]!)
  text(writer, field.producer, 'enigma')
  text(writer, field.producerVersion, producerVersion)
  if (doc !== undefined) text(writer, field.doc, doc)
  message(writer, field.graph, (w) => {
    for (const node of graph.nodes) message(w, fields.graph.node, (n) => writeNode(n, node))
    text(w, fields.graph.name, graph.name)
    for (const initializer of graph.initializers)
      message(w, fields.graph.initializer, (i) => writeInitializer(i, initializer, places.get(initializer.name)))
    for (const input of graph.inputs) message(w, fields.graph.input, (v) => writeValue(v, input))
    for (const output of graph.outputs) message(w, fields.graph.output, (v) => writeValue(v, output))
  })
  const others = new Set([...domains, ...graph.nodes.map(({ domain }) => domain)])
  others.delete('')
  for (const [domain, version] of [['', opset], ...[...others].map((name) => [name, 1] as const)] as const)
    message(writer, field.opset, (w) => {
      text(w, fields.opset.domain, domain)
      integer(w, fields.opset.version, version)
    })
  for (const [key, value] of Object.entries(metadata)) message(writer, field.metadata, (w) => writeEntry(w, key, value))
  return writer.finish()
}
