import protobuf from 'protobufjs/minimal.js'
import { type DType, dtypes, sizeOf, type TypedArray } from '../dtype.js'
import { TensorError } from '../errors.js'
import type { OnnxAttribute } from '../ops/define.js'
import type { Dim } from '../program.js'
import type { ExternalPlace } from './external.js'
import { external, fields, type OnnxGraph, type OnnxInitializer, type OnnxNode, type OnnxValue } from './protobuf.js'

export interface OnnxModel {
  readonly graph: OnnxGraph
  readonly irVersion: number
  /** Versions of the operator sets in use, by domain. */
  readonly opsets: Readonly<Record<string, number>>
  readonly metadata: Readonly<Record<string, string>>
  readonly doc: string | undefined
}

const byOnnxCode = new Map<number, DType>(Object.entries(dtypes).map(([dtype, { onnx }]) => [onnx, dtype as DType]))

const corrupt = (what: string, cause?: unknown) =>
  new TensorError('FILE_CORRUPT', `This is not a sound ONNX file: ${what}.`, cause === undefined ? undefined : { cause })

type Reader = protobuf.Reader
/** Reads one field of a message into what is being collected; false skips it. */
type Fields = (field: number, reader: Reader, wire: number) => boolean

/**
 * Walks a message. Wire types are checked before a field is read: 0 varint, 2 bytes, 5 four bytes.
 */
function walk(reader: Reader, end: number, known: Fields): void {
  while (reader.pos < end) {
    const key = reader.uint32()
    if (!known(key >>> 3, reader, key & 7)) reader.skipType(key & 7)
  }
  if (reader.pos !== end) throw corrupt('a message is longer than it says')
}

/** An embedded message; its own length bounds what is read. */
function nested(reader: Reader, known: Fields): void {
  const length = reader.uint32()
  const end = reader.pos + length
  if (end > reader.len) throw corrupt(`a message of ${length} bytes is cut off`)
  walk(reader, end, known)
}

function integer(reader: Reader): number {
  // Without the package `long` this is a number.
  const value = Number(String(reader.int64()))
  if (!Number.isSafeInteger(value)) throw corrupt(`the number ${value} is beyond counting`)
  return value
}

/** Repeated integers come one by one or packed into one field. */
function integers(reader: Reader, wire: number, target: number[]): void {
  if (wire !== 2) {
    target.push(integer(reader))
    return
  }
  const end = reader.uint32() + reader.pos
  if (end > reader.len) throw corrupt('a list is cut off')
  while (reader.pos < end) target.push(integer(reader))
}

const known = <T>(value: T | undefined, what: string): T => {
  if (value === undefined) throw corrupt(what)
  return value
}
const dtypeOf = (code: number, name: string): DType => known(byOnnxCode.get(code), `'${name}' has the element type ${code}`)

function readAttribute(reader: Reader): [string, OnnxAttribute] {
  const field = fields.attribute
  let name = ''
  let value: OnnxAttribute | undefined
  const ints: number[] = []
  nested(reader, (id, r, wire) => {
    if (id === field.name) name = r.string()
    else if (id === field.float && wire === 5) value = { float: r.float() }
    else if (id === field.int && wire === 0) value = integer(r)
    else if (id === field.string && wire === 2) value = r.string()
    else if (id === field.ints) integers(r, wire, ints)
    else return false
    return true
  })
  return [name, value ?? ints]
}

function readNode(reader: Reader): OnnxNode {
  const field = fields.node
  const node = { name: '', op: '', domain: '', inputs: [] as string[], outputs: [] as string[] }
  const attributes: [string, OnnxAttribute][] = []
  let doc: string | undefined
  nested(reader, (id, r, wire) => {
    if (wire !== 2) return false
    if (id === field.input) node.inputs.push(r.string())
    else if (id === field.output) node.outputs.push(r.string())
    else if (id === field.name) node.name = r.string()
    else if (id === field.op) node.op = r.string()
    else if (id === field.domain) node.domain = r.string()
    else if (id === field.doc) doc = r.string()
    else if (id === field.attribute) attributes.push(readAttribute(r))
    else return false
    return true
  })
  return { ...node, attributes: Object.fromEntries(attributes), ...(doc !== undefined && { doc }) }
}

/** Bytes of a file beside the model's. */
export type ReadExternal = (place: ExternalPlace) => Uint8Array

const outside: ReadExternal = ({ location }) => {
  throw new TensorError(
    'UNSUPPORTED_OP',
    `This model's weights lie in a file of their own, '${location}': give the model's path.`,
  )
}

function readInitializer(reader: Reader, readExternal: ReadExternal): OnnxInitializer {
  const field = fields.tensor
  const shape: number[] = []
  let name = ''
  let code = 0
  let raw: Uint8Array | undefined
  let location = 0
  const entries: [string, string][] = []
  nested(reader, (id, r, wire) => {
    if (id === field.dims) integers(r, wire, shape)
    else if (id === field.dtype && wire === 0) code = integer(r)
    else if (id === field.name && wire === 2) name = r.string()
    else if (id === field.raw && wire === 2) raw = r.bytes()
    else if (id === field.location && wire === 0) location = integer(r)
    else if (id === field.external && wire === 2) entries.push(readEntry(r))
    else return false
    return true
  })
  const dtype = dtypeOf(code, name)
  const length = sizeOf(shape) * dtypes[dtype].bytes
  const expect = (bytes: number) => {
    if (shape.some((dim) => dim < 0) || length !== bytes)
      throw corrupt(`the weight '${name}', ${dtype} [${shape.join(', ')}], has ${bytes} bytes`)
  }
  if (location === external) {
    const place = placeOf(name, Object.fromEntries(entries), length)
    expect(place.length)
    return { name, dtype, shape, data: () => new dtypes[dtype].array(new Uint8Array(readExternal(place)).buffer) as TypedArray }
  }
  const bytes = known(raw, `the weight '${name}' is not in raw bytes`)
  expect(bytes.byteLength)
  // A copy: elements must start at a multiple of their size, and outlive the file's bytes.
  const data = () => new dtypes[dtype].array(new Uint8Array(bytes).buffer) as TypedArray
  return { name, dtype, shape, data }
}

/** A file's name only: no model may have others read than those beside it. */
function placeOf(
  name: string,
  { location = '', offset = '0', length: bytes }: Record<string, string>,
  length: number,
): ExternalPlace {
  const place = { location, offset: Number(offset), length: Number(bytes ?? length) }
  if (/^[^/\\]+$/.test(location) && !/^\.*$/.test(location) && Number.isSafeInteger(place.offset) && place.offset >= 0)
    return place
  throw corrupt(`the weight '${name}' lies at '${location}', ${offset}, which is no place in a file beside it`)
}

function readDim(reader: Reader): Dim | undefined {
  let dim: Dim | undefined
  nested(reader, (id, r, wire) => {
    if (id === fields.dim.size && wire === 0) dim = integer(r)
    else if (id === fields.dim.symbol && wire === 2) dim = r.string()
    else return false
    return true
  })
  return dim
}

function readValue(reader: Reader): OnnxValue {
  let name = ''
  let code = 0
  const shape: (Dim | undefined)[] = []
  const inside =
    (field: number, next: Fields): Fields =>
    (id, r, wire) => {
      if (id !== field || wire !== 2) return false
      nested(r, next)
      return true
    }
  const dims: Fields = (id, r, wire) => {
    if (id !== fields.shape.dim || wire !== 2) return false
    shape.push(readDim(r))
    return true
  }
  const tensorType: Fields = (id, r, wire) => {
    if (id === fields.tensorType.dtype && wire === 0) code = integer(r)
    else return inside(fields.tensorType.shape, dims)(id, r, wire)
    return true
  }
  nested(reader, (id, r, wire) => {
    if (id === fields.value.name && wire === 2) name = r.string()
    else return inside(fields.value.type, inside(fields.type.tensor, tensorType))(id, r, wire)
    return true
  })
  return { name, dtype: dtypeOf(code, name), shape: shape.map((dim, axis) => dim ?? `${name}.${axis}`) }
}

function readGraph(reader: Reader, readExternal: ReadExternal): OnnxGraph {
  const field = fields.graph
  const nodes: OnnxNode[] = []
  const initializers: OnnxInitializer[] = []
  const inputs: OnnxValue[] = []
  const outputs: OnnxValue[] = []
  let name = ''
  nested(reader, (id, r, wire) => {
    if (wire !== 2) return false
    if (id === field.node) nodes.push(readNode(r))
    else if (id === field.name) name = r.string()
    else if (id === field.initializer) initializers.push(readInitializer(r, readExternal))
    else if (id === field.input) inputs.push(readValue(r))
    else if (id === field.output) outputs.push(readValue(r))
    else return false
    return true
  })
  return { name, nodes, initializers, inputs, outputs }
}

function readEntry(reader: Reader): [string, string] {
  let [key, value] = ['', '']
  nested(reader, (id, r, wire) => {
    if (id === fields.entry.key && wire === 2) key = r.string()
    else if (id === fields.entry.value && wire === 2) value = r.string()
    else return false
    return true
  })
  return [key, value]
}

function readOpset(reader: Reader): [string, number] {
  let domain = ''
  let version = 0
  nested(reader, (id, r, wire) => {
    if (id === fields.opset.domain && wire === 2) domain = r.string()
    else if (id === fields.opset.version && wire === 0) version = integer(r)
    else return false
    return true
  })
  return [domain, version]
}

/**
 * Reads a ModelProto. Weights refer to `bytes` until they are asked for, or to what `readExternal` gives then; nothing is allocated
 * beyond the size of the file.
 * @throws TensorError FILE_CORRUPT
 */
export function decodeModel(bytes: Uint8Array, readExternal: ReadExternal = outside): OnnxModel {
  const field = fields.model
  const metadata: [string, string][] = []
  const opsets: [string, number][] = []
  let irVersion = 0
  let graph: OnnxGraph | undefined
  let doc: string | undefined
  try {
    const reader = protobuf.Reader.create(bytes)
    walk(reader, reader.len, (id, r, wire) => {
      if (id === field.irVersion && wire === 0) irVersion = integer(r)
      else if (wire !== 2) return false
      else if (id === field.graph) graph = readGraph(r, readExternal)
      else if (id === field.doc) doc = r.string()
      else if (id === field.opset) opsets.push(readOpset(r))
      else if (id === field.metadata) metadata.push(readEntry(r))
      else return false
      return true
    })
  } catch (error) {
    if (error instanceof TensorError) throw error
    throw corrupt(error instanceof Error ? error.message : String(error), error)
  }
  return {
    graph: known(graph, 'it holds no graph'),
    irVersion,
    opsets: Object.fromEntries(opsets),
    metadata: Object.fromEntries(metadata),
    doc,
  }
}
