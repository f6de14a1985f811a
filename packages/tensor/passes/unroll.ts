import { Builder } from '../builder.js'
import { opTable } from '../ops/index.js'
import type { Node, Program, ProgramConstant, Value } from '../program.js'
import { deadCode } from './dead-code.js'
import { useCounts } from './uses.js'

/** Puts the decomposition of ops in their place where somebody uses auxiliary results that their own node does not give. */
export function unroll(program: Program): Program {
  const uses = useCounts(program)
  const needed = ({ op, outputs }: Node) => {
    const { unrolled, results = 1 } = opTable[op]
    return unrolled === true && outputs.slice(results).some((id) => uses.has(id))
  }
  if (!program.nodes.some(needed)) return program
  const values: Value[] = [...program.values]
  const constants: ProgramConstant[] = [...program.constants]

  const inPlace = (node: Node): Node[] => {
    const builder = new Builder()
    const inputs = node.inputs.map((id, index) => builder.input(`${index}`, values[id]!.shape, values[id]!.dtype))
    const outputs = opTable[node.op].decompose!(inputs, node.attributes, [])
    const part = builder.build({})
    const ids = new Map<number, number>()
    for (const [index, { id }] of inputs.entries()) ids.set(id, node.inputs[index]!)
    for (const [index, { id }] of outputs.entries()) ids.set(id, node.outputs[index]!)
    const idOf = (id: number) => {
      if (!ids.has(id)) ids.set(id, values.push(part.values[id]!) - 1)
      return ids.get(id)!
    }
    for (const constant of part.constants) constants.push({ ...constant, value: idOf(constant.value) })
    return part.nodes.map((inner) => ({ ...inner, inputs: inner.inputs.map(idOf), outputs: inner.outputs.map(idOf) }))
  }

  const nodes = program.nodes.flatMap((node) => (needed(node) ? inPlace(node) : [node]))
  return deadCode({ ...program, values, constants, nodes })
}
