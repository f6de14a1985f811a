import protobuf from 'protobufjs/minimal.js'
import type { DType } from '../dtype.js'
import { dtypes } from '../dtype.js'
import type { OnnxAttribute } from '../ops/define.js'
import type { Dims } from '../program.js'

/** The part of ONNX's messages (onnx.proto, IR version 9) that an encoded program uses. Numbers are field numbers there. */
export interface OnnxNode {
  readonly name: string
  readonly op: string
  readonly domain: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: Readonly<Record<string, OnnxAttribute>>
}

export interface OnnxInitializer {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly bytes: Uint8Array
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

const irVersion = 9
const opset = 18
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
  text(writer, 1, name)
  if (typeof value === 'number') {
    integer(writer, 3, value)
    integer(writer, 20, attributeTypes.int)
  } else if (typeof value === 'string') {
    text(writer, 4, value)
    integer(writer, 20, attributeTypes.string)
  } else if ('float' in value) {
    writer.uint32(tag(2, fixed32)).float(value.float)
    integer(writer, 20, attributeTypes.float)
  } else {
    for (const item of value) integer(writer, 8, item)
    integer(writer, 20, attributeTypes.ints)
  }
}

function writeNode(writer: Writer, node: OnnxNode): void {
  for (const name of node.inputs) text(writer, 1, name)
  for (const name of node.outputs) text(writer, 2, name)
  text(writer, 3, node.name)
  text(writer, 4, node.op)
  for (const [name, value] of Object.entries(node.attributes)) message(writer, 5, (w) => writeAttribute(w, name, value))
  text(writer, 7, node.domain)
}

function writeInitializer(writer: Writer, { name, dtype, shape, bytes }: OnnxInitializer): void {
  for (const dim of shape) integer(writer, 1, dim)
  integer(writer, 2, dtypes[dtype].onnx)
  text(writer, 8, name)
  writer.uint32(tag(9, delimited)).bytes(bytes)
}

function writeValue(writer: Writer, { name, dtype, shape }: OnnxValue): void {
  text(writer, 1, name)
  message(writer, 2, (type) =>
    message(type, 1, (tensor) => {
      integer(tensor, 1, dtypes[dtype].onnx)
      message(tensor, 2, (dims) => {
        for (const dim of shape)
          message(dims, 1, (w) => {
            if (typeof dim === 'number') integer(w, 1, dim)
            else text(w, 2, dim)
          })
      })
    }),
  )
}

/** Serialises a graph as a ModelProto. A protobuf ends at 2 GiB; the caller checks the size of its initializers. */
export function encodeModel(graph: OnnxGraph): Uint8Array {
  const writer = protobuf.Writer.create()
  integer(writer, 1, irVersion)
  text(writer, 2, 'enigma')
  message(writer, 7, (w) => {
    for (const node of graph.nodes) message(w, 1, (n) => writeNode(n, node))
    text(w, 2, graph.name)
    for (const initializer of graph.initializers) message(w, 5, (i) => writeInitializer(i, initializer))
    for (const input of graph.inputs) message(w, 11, (v) => writeValue(v, input))
    for (const output of graph.outputs) message(w, 12, (v) => writeValue(v, output))
  })
  const used = new Set(graph.nodes.map(({ domain }) => domain))
  const further = [...used].filter((domain) => domain !== '' && domain !== 'com.microsoft')
  for (const [domain, version] of [['', opset], ...['com.microsoft', ...further].map((name) => [name, 1] as const)] as const)
    message(writer, 8, (w) => {
      text(w, 1, domain)
      integer(w, 2, version)
    })
  return writer.finish()
}
