import { TensorError } from '../errors.js'
import { type OpName, opTable } from '../ops/index.js'
import type { Attribute, Attributes } from '../program.js'

/**
 * Which op of ours a group of ONNX nodes stands for, as JSON in the documentation of the group's first node. Other readers
 * see a comment.
 */
export interface Annotation {
  readonly op: OpName
  readonly attributes: Attributes
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  /** How many ONNX nodes the group has. */
  readonly nodes: number
}

// JSON has no infinities, no NaN and no -0.
const special = (value: unknown) => typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))
const written = (_key: string, value: unknown) =>
  special(value) ? { number: Object.is(value, -0) ? '-0' : String(value) } : value
const read = (_key: string, value: unknown) => (isObject(value) && 'number' in value ? Number(value.number) : value)

export function annotation({ op, attributes, inputs, outputs, nodes }: Annotation): string {
  return JSON.stringify({ op, attributes, inputs, outputs, nodes }, written)
}

/** What `annotation` wrote; undefined for anything else people write beside a node. */
export function parseAnnotation(text: string): Annotation | undefined {
  if (!text.startsWith('{"op":')) return undefined
  let json: unknown
  try {
    json = JSON.parse(text, read)
  } catch (cause) {
    throw new TensorError('FILE_CORRUPT', 'An ONNX node says which op it is in JSON that does not parse.', { cause })
  }
  if (
    !isObject(json) ||
    typeof json.op !== 'string' ||
    !isStrings(json.inputs) ||
    !isStrings(json.outputs) ||
    !isObject(json.attributes) ||
    !Object.values(json.attributes).every(isAttribute) ||
    !Number.isSafeInteger(json.nodes)
  )
    throw new TensorError('FILE_CORRUPT', `An ONNX node says which op it is in a form nobody wrote: ${text.slice(0, 200)}`)
  if (!Object.hasOwn(opTable, json.op))
    throw new TensorError('UNSUPPORTED_OP', `The file has the op '${json.op}', which this version does not know. Update.`)
  return json as unknown as Annotation
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isStrings = (value: unknown): value is string[] => Array.isArray(value) && value.every((item) => typeof item === 'string')
const isAttribute = (value: unknown): value is Attribute =>
  ['number', 'boolean', 'string'].includes(typeof value) ||
  (Array.isArray(value) && value.every((item) => typeof item === 'number'))
