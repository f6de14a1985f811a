import protobuf from 'protobufjs/minimal.js'
import { type DType, dtypes } from '../dtype.js'

/** Encodes small ONNX models for this folder's tests, apart from the package's own encoder: field numbers are onnx.proto's. */
export interface TestModel {
  readonly nodes: readonly { op: string; inputs: readonly string[]; outputs: readonly string[] }[]
  readonly inputs: Readonly<Record<string, readonly (number | string)[]>>
  readonly outputs: Readonly<Record<string, readonly (number | string)[]>>
  /** Weights whose values are given when the session is created. */
  readonly externals?: Readonly<Record<string, readonly number[]>>
  readonly dtype?: DType
}

type Writer = protobuf.Writer
type Body = (writer: Writer) => void

const varint = (writer: Writer, field: number, value: number) => writer.uint32(field << 3).int64(value)
const text = (writer: Writer, field: number, value: string) => writer.uint32((field << 3) | 2).string(value)
function nested(writer: Writer, field: number, body: Body): void {
  writer.uint32((field << 3) | 2).fork()
  body(writer)
  writer.ldelim()
}

export function encodeTestModel({ nodes, inputs, outputs, externals = {}, dtype = 'f32' }: TestModel): Uint8Array {
  const { onnx } = dtypes[dtype]
  const value =
    ([name, shape]: [string, readonly (number | string)[]]): Body =>
    (writer) => {
      text(writer, 1, name)
      nested(writer, 2, (type) =>
        nested(type, 1, (tensor) => {
          varint(tensor, 1, onnx)
          nested(tensor, 2, (dims) => {
            for (const size of shape)
              nested(dims, 1, (dim) => (typeof size === 'number' ? varint(dim, 1, size) : text(dim, 2, size)))
          })
        }),
      )
    }
  const external =
    ([name, shape]: [string, readonly number[]]): Body =>
    (writer) => {
      for (const size of shape) varint(writer, 1, size)
      varint(writer, 2, onnx)
      text(writer, 8, name)
      nested(writer, 13, (entry) => {
        text(entry, 1, 'location')
        text(entry, 2, 'given')
      })
      varint(writer, 14, 1)
    }
  const graph: Body = (writer) => {
    for (const { op, inputs: from, outputs: to } of nodes)
      nested(writer, 1, (node) => {
        for (const name of from) text(node, 1, name)
        for (const name of to) text(node, 2, name)
        text(node, 4, op)
      })
    text(writer, 2, 'test')
    for (const entry of Object.entries(externals)) nested(writer, 5, external(entry))
    for (const entry of Object.entries(inputs)) nested(writer, 11, value(entry))
    for (const entry of Object.entries(outputs)) nested(writer, 12, value(entry))
  }
  const writer = protobuf.Writer.create()
  varint(writer, 1, 9)
  nested(writer, 7, graph)
  nested(writer, 8, (opset) => varint(opset, 2, 18))
  return writer.finish()
}
