import { arrayOf } from '../builder.js'
import { type DType, dtypes, type TypedArray } from '../dtype.js'
import { TensorError } from '../errors.js'
import type { LowerContext } from '../ops/define.js'
import { opTable } from '../ops/index.js'
import { useCounts } from '../passes/uses.js'
import type { Program, Value } from '../program.js'
import { encodeModel, type OnnxInitializer, type OnnxNode } from './protobuf.js'

const protobufLimit = 2 ** 31 - 1

const bytesOf = (data: TypedArray) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)

const typeOf = ({ dtype, shape }: Value) => `${dtype}[${shape.join(', ')}]`

const isEmpty = ({ shape }: Value) => shape.includes(0) && shape.every((dim) => typeof dim === 'number')

function lowerEmpty({ emit, tensor }: LowerContext, { name, shape, dtype }: LowerContext['outputs'][number]): void {
  const empty = tensor(`empty ${shape}`, shape as readonly number[], () => new Float32Array(0))
  emit('Cast', [empty], { to: dtypes[dtype].onnx }, { outputs: [name] })
}

/**
 * A program as an ONNX model (opset 18 and the `com.microsoft` domain). Inputs and outputs keep their names;
 * constants become initializers.
 *
 * @throws TensorError OUT_OF_MEMORY when the constants exceed what one protobuf holds (2 GiB)
 */
export function toOnnx(program: Program): Uint8Array {
  const names = new Map<number, string>()
  const nodes: OnnxNode[] = []
  const initializers = new Map<string, OnnxInitializer>()
  const uses = useCounts(program)

  for (const input of program.inputs) names.set(input.value, input.name)
  for (const { value, data } of program.constants) {
    const name = `#constant.${value}`
    const { dtype, shape } = program.values[value]!
    names.set(value, name)
    initializers.set(name, { name, dtype, shape: shape as readonly number[], bytes: bytesOf(data) })
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
  const addInitializer = (name: string, dtype: DType, shape: readonly number[], make: () => TypedArray) => {
    if (!initializers.has(name)) initializers.set(name, { name, dtype, shape, bytes: bytesOf(make()) })
    return name
  }

  let temporaries = 0
  const described = (id: number) => ({ ...program.values[id]!, name: nameOf(id) })
  for (const node of program.nodes) {
    // What the runtime calls a node when it fails, and in profiles.
    const label = `${node.op}(${node.inputs.map((id) => typeOf(program.values[id]!)).join(', ')})`
    const context: LowerContext = {
      inputs: node.inputs.map(described),
      outputs: node.outputs.map(described),
      attributes: node.attributes,
      isUsed: (index) => uses.has(node.outputs[index]!),
      emit(op, inputs, attributes = {}, options = {}) {
        const outputs = options.outputs ?? [`#temporary.${temporaries++}`]
        nodes.push({ name: `${label} #${nodes.length}`, op, domain: options.domain ?? '', inputs, outputs, attributes })
        return outputs[0]!
      },
      tensor: (key, shape, make) => addInitializer(`#tensor ${key}`, 'f32', shape, make),
      ints: (values, shape = [values.length]) =>
        addInitializer(`#ints ${shape}:${values}`, 'i64', shape, () => arrayOf('i64', values)),
      scalar: (value, dtype = 'f32') => addInitializer(`#scalar ${dtype} ${value}`, dtype, [], () => arrayOf(dtype, [value])),
    }
    // Some of ONNX Runtime's kernels fail on sizes of 0, or take the process down; there is nothing to compute anyway.
    if (context.outputs.every(isEmpty)) for (const output of context.outputs) lowerEmpty(context, output)
    else opTable[node.op].lower(context)
  }
  for (const { from, name } of copies)
    nodes.push({ name: `output ${name}`, op: 'Identity', domain: '', inputs: [nameOf(from)], outputs: [name], attributes: {} })

  const size = [...initializers.values()].reduce((sum, { bytes }) => sum + bytes.byteLength, 0)
  if (size > protobufLimit - 2 ** 20)
    throw new TensorError(
      'OUT_OF_MEMORY',
      `The program's constants take ${size} bytes; one ONNX file holds 2 GiB. Pass the weights as inputs.`,
    )
  return encodeModel({
    name: 'enigma',
    nodes,
    initializers: [...initializers.values()],
    inputs: program.inputs.map(({ name, value }) => ({ name, ...program.values[value]! })),
    outputs: program.outputs.map(({ name, value }) => ({ name, ...program.values[value]! })),
  })
}
