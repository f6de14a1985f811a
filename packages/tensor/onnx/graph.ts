import { arrayOf } from '../builder.js'
import { type DType, dtypes, type TypedArray } from '../dtype.js'
import type { LowerContext } from '../ops/define.js'
import { opTable } from '../ops/index.js'
import { unroll } from '../passes/unroll.js'
import { useCounts } from '../passes/uses.js'
import type { Program, Value } from '../program.js'
import { annotation } from './annotation.js'
import { portableEmit } from './portable.js'
import type { OnnxGraph, OnnxInitializer, OnnxNode } from './protobuf.js'

/** Whose operators a model may use: ONNX's alone, or ONNX Runtime's fused ones too (`com.microsoft`). */
export type OnnxTarget = 'portable' | 'onnxruntime'

export interface GraphOptions {
  /** Default `onnxruntime`. */
  readonly target?: OnnxTarget
  /** Write beside the nodes which op each group of them stands for, so that `fromOnnx` can read them. Default false. */
  readonly annotated?: boolean
}

const typeOf = ({ dtype, shape }: Value) => `${dtype}[${shape.join(', ')}]`

const isEmpty = ({ shape }: Value) => shape.includes(0) && shape.every((dim) => typeof dim === 'number')

function lowerEmpty({ emit, tensor }: LowerContext, { name, shape, dtype }: LowerContext['outputs'][number]): void {
  const empty = tensor(`empty ${shape}`, shape as readonly number[], () => new Float32Array(0))
  emit('Cast', [empty], { to: dtypes[dtype].onnx }, { outputs: [name] })
}

/**
 * Lowers a program to ONNX nodes. Inputs, outputs and named constants keep their names, the rest gets names that start with '#'.
 * @throws TensorError UNSUPPORTED_OP for what has no form in ONNX's own operators, if those are asked for
 */
export function graphOf(given: Program, { target = 'onnxruntime', annotated = false }: GraphOptions = {}): OnnxGraph {
  const program = unroll(given)
  const names = new Map<number, string>()
  const nodes: OnnxNode[] = []
  const initializers = new Map<string, OnnxInitializer>()
  const uses = useCounts(program)

  for (const input of program.inputs) names.set(input.value, input.name)
  for (const { value, data, name = `#constant.${value}` } of program.constants) {
    const { dtype, shape } = program.values[value]!
    names.set(value, name)
    initializers.set(name, { name, dtype, shape: shape as readonly number[], data: () => data })
  }
  // A value takes the name of the output it is, if nothing else has named it; further names are copies.
  const copies: { from: number; name: string }[] = []
  for (const { name, value } of program.outputs) {
    if (names.has(value)) copies.push({ from: value, name })
    else names.set(value, name)
  }
  const nameOf = (id: number) => {
    let name = names.get(id)
    if (name === undefined) names.set(id, (name = `#value.${id}`))
    return name
  }
  const addInitializer = (name: string, dtype: DType, shape: readonly number[], data: () => TypedArray) => {
    if (!initializers.has(name)) initializers.set(name, { name, dtype, shape, data })
    return name
  }

  let temporaries = 0
  /** What the runtime calls a node when it fails, and in profiles. */
  let label = ''
  const emitNode: LowerContext['emit'] = (op, inputs, attributes = {}, options = {}) => {
    const outputs = options.outputs ?? [`#temporary.${temporaries++}`]
    nodes.push({ name: `${label} #${nodes.length}`, op, domain: options.domain ?? '', inputs, outputs, attributes })
    return outputs[0]!
  }
  const constants: Pick<LowerContext, 'tensor' | 'ints' | 'scalar'> = {
    tensor: (key, shape, make) => addInitializer(`#tensor ${key}`, 'f32', shape, make),
    ints: (values, shape = [values.length]) =>
      addInitializer(`#ints ${shape}:${values}`, 'i64', shape, () => arrayOf('i64', values)),
    scalar: (value, dtype = 'f32') => addInitializer(`#scalar ${dtype} ${value}`, dtype, [], () => arrayOf(dtype, [value])),
  }
  const shapes = new Map(program.values.map(({ shape }, id) => [names.get(id) ?? `#value.${id}`, shape]))
  const emit = target === 'portable' ? portableEmit({ ...constants, emit: emitNode, shapes, initializers }) : emitNode

  const described = (id: number) => ({ ...program.values[id]!, name: nameOf(id) })
  for (const node of program.nodes) {
    const first = nodes.length
    label = `${node.op}(${node.inputs.map((id) => typeOf(program.values[id]!)).join(', ')})`
    const context: LowerContext = {
      ...constants,
      emit,
      inputs: node.inputs.map(described),
      outputs: node.outputs.map(described),
      attributes: node.attributes,
      isUsed: (index) => uses.has(node.outputs[index]!),
    }
    // Some of ONNX Runtime's kernels fail on sizes of 0, or take the process down; there is nothing to compute anyway.
    if (context.outputs.every(isEmpty)) for (const output of context.outputs) lowerEmpty(context, output)
    else opTable[node.op].lower(context)
    if (annotated) {
      const [inputs, outputs] = [node.inputs.map(nameOf), node.outputs.map(nameOf)]
      nodes[first] = { ...nodes[first]!, doc: annotation({ ...node, inputs, outputs, nodes: nodes.length - first }) }
    }
  }
  label = 'output'
  for (const { from, name } of copies) emitNode('Identity', [nameOf(from)], {}, { outputs: [name] })

  return {
    name: 'enigma',
    nodes,
    initializers: [...initializers.values()],
    inputs: program.inputs.map(({ name, value }) => ({ name, ...program.values[value]! })),
    outputs: program.outputs.map(({ name, value }) => ({ name, ...program.values[value]! })),
  }
}
