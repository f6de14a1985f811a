import { TensorError } from '../errors.js'
import { opTable } from '../ops/index.js'
import type { Node, Program, ProgramConstant, ProgramInput, RandomSource, Value } from '../program.js'
import { type Annotation, parseAnnotation } from './annotation.js'
import { metadataKeys } from './encode.js'
import { graphOf, type OnnxTarget } from './graph.js'
import { decodeModel, type OnnxModel, type ReadExternal } from './read-protobuf.js'
import { sameGraph } from './same-graph.js'

export interface ImportedOnnx {
  readonly program: Program
  /** Entries of the file's metadata. */
  readonly metadata: Readonly<Record<string, string>>
  readonly doc: string | undefined
}

/** What is said as it is; all else that goes wrong while a file is read is the file's fault. */
const told: readonly string[] = ['FILE_CORRUPT', 'UNSUPPORTED_OP', 'FILE_NOT_FOUND', 'FILE_TRUNCATED']

/** More unknown operators than this are counted, not listed. */
const listed = 20

const corrupt = (what: string, cause?: unknown) =>
  new TensorError('FILE_CORRUPT', `This ONNX file does not hold what it says: ${what}.`, { cause })

/**
 * Reads a model that `toOnnx` wrote with `annotated` (as `net.toOnnx` does) back into the program it was. What the notes beside
 * the nodes say is checked against the nodes: the program read is lowered again and must give the same graph.
 *
 * @param readExternal gives the weights of a model that has them in a second file
 * @throws TensorError UNSUPPORTED_OP, listing operators that no note covers; FILE_CORRUPT
 */
export function fromOnnx(bytes: Uint8Array, readExternal?: ReadExternal): ImportedOnnx {
  const model = decodeModel(bytes, readExternal)
  const groups = groupsOf(model)
  try {
    const program = rebuild(model, groups)
    const target = model.metadata[metadataKeys.target] === 'portable' ? 'portable' : ('onnxruntime' satisfies OnnxTarget)
    const difference = sameGraph(graphOf(program, { target, annotated: true }), model.graph)
    if (difference !== undefined) throw corrupt(`${difference} was changed after it was written`)
    return { program, metadata: model.metadata, doc: model.doc }
  } catch (error) {
    if (error instanceof TensorError && told.includes(error.code)) throw error
    throw corrupt(error instanceof Error ? error.message : String(error), error)
  }
}

/** The notes beside the nodes in order; a lone Identity is a second name. */
function groupsOf({ graph: { nodes } }: OnnxModel): (Annotation | { readonly from: string; readonly to: string })[] {
  const groups: (Annotation | { from: string; to: string })[] = []
  const unknown = new Set<string>()
  for (let index = 0; index < nodes.length; ) {
    const { op, domain, doc, inputs, outputs } = nodes[index]!
    const annotation = doc === undefined ? undefined : parseAnnotation(doc)
    if (annotation) groups.push(annotation)
    else if (op === 'Identity' && inputs.length === 1 && outputs.length === 1) groups.push({ from: inputs[0]!, to: outputs[0]! })
    else unknown.add(domain ? `${domain}.${op}` : op)
    index += Math.max(1, annotation?.nodes ?? 1)
  }
  if (unknown.size > 0) {
    const names = [...unknown].sort()
    const rest = names.length > listed ? ` and ${names.length - listed} more` : ''
    throw new TensorError(
      'UNSUPPORTED_OP',
      `Only models that Enigma's toOnnx wrote can be read, and nobody says what these operators stand for: ${names.slice(0, listed).join(', ')}${rest}. Run the file as it is in an ONNX runtime.`,
    )
  }
  return groups
}

function rebuild({ graph, metadata }: OnnxModel, groups: ReturnType<typeof groupsOf>): Program {
  const values: Value[] = []
  const ids = new Map<string, number>()
  const define = (name: string, value: Value): number => {
    if (ids.has(name)) throw corrupt(`'${name}' is defined twice`)
    ids.set(name, values.push(value) - 1)
    return values.length - 1
  }
  const idOf = (name: string): number => {
    const id = ids.get(name)
    if (id === undefined) throw corrupt(`'${name}' is used before it is made`)
    return id
  }

  const random = randomInputs(metadata)
  const inputs = graph.inputs.map(({ name, dtype, shape }): ProgramInput => {
    const source = Object.hasOwn(random, name) ? random[name] : undefined
    return { name, value: define(name, { dtype, shape }), ...(source && { random: source }) }
  })
  const used = new Set(groups.flatMap((group) => ('op' in group ? group.inputs : [group.from])))
  for (const { name } of graph.outputs) used.add(name)
  const constants = graph.initializers.flatMap(({ name, dtype, shape, data }): ProgramConstant[] => {
    if (!used.has(name)) return []
    return [{ value: define(name, { dtype, shape }), data: data(), ...(!name.startsWith('#') && { name }) }]
  })
  const nodes: Node[] = []
  for (const group of groups) {
    if (!('op' in group)) {
      ids.set(group.to, idOf(group.from))
      continue
    }
    const { op, attributes } = group
    const from = group.inputs.map(idOf)
    const inferred = opTable[op].infer(
      from.map((id) => values[id]!),
      attributes,
    )
    if (inferred.length !== group.outputs.length) throw corrupt(`${op} has ${group.outputs.length} outputs`)
    const outputs = group.outputs.map((name, index) => define(name, inferred[index]!))
    nodes.push({ op, inputs: from, outputs, attributes })
  }
  return { values, inputs, constants, nodes, outputs: graph.outputs.map(({ name }) => ({ name, value: idOf(name) })) }
}

function randomInputs(metadata: Readonly<Record<string, string>>): Record<string, RandomSource> {
  const text = metadata[metadataKeys.random]
  const sources: unknown = JSON.parse(text ?? '{}')
  if (
    typeof sources !== 'object' ||
    sources === null ||
    Object.values(sources).some((source) => typeof source?.kind !== 'string')
  )
    throw corrupt(`its random inputs are ${text?.slice(0, 200)}`)
  return sources as Record<string, RandomSource>
}
