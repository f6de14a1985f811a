import type { Node, Program } from '../program.js'
import { deadCode } from './dead-code.js'
import { producers } from './uses.js'

const broadcasting: ReadonlySet<string> = new Set(['add', 'sub', 'mul', 'div'])

/**
 * Spares passes over memory that change nothing: ops that broadcast their operands take them small, and a product with 1 is the
 * other factor. The derivatives of sums and means begin so.
 */
export function lightOperands(program: Program): Program {
  const made = producers(program)
  const ones = new Set(
    program.constants.filter(({ data }) => data.length === 1 && Number(data[0]) === 1).map(({ value }) => value),
  )
  const replacement = new Map<number, number>()
  const resolve = (id: number) => replacement.get(id) ?? id
  const shape = (id: number) => program.values[id]!.shape
  const shapeText = (id: number) => shape(id).join()
  const light = (id: number): number => {
    const node = made.get(id)
    const from = node?.inputs[0]
    if (!node || from === undefined) return id
    const oneElement = node.op === 'reshape' && shape(id).every((size) => size === 1) && shape(from).length <= shape(id).length
    return node.op === 'broadcastTo' || oneElement ? light(from) : id
  }
  const lightened = ({ inputs: [a, b], outputs: [y] }: Node): [number, number] => {
    const [lightA, lightB] = [light(a!), light(b!)]
    // One operand must keep the result's shape.
    if (shapeText(b!) === shapeText(y!)) return [lightA, shapeText(lightA) === shapeText(y!) ? lightB : b!]
    return shapeText(a!) === shapeText(y!) ? [a!, lightB] : [a!, b!]
  }
  const nodes = program.nodes.map((original): Node => {
    const node = { ...original, inputs: original.inputs.map(resolve) }
    if (!broadcasting.has(node.op)) return node
    const [a, b] = lightened(node)
    const [y] = node.outputs
    const same = (id: number) => shapeText(id) === shapeText(y!)
    if (ones.has(b) && same(a) && (node.op === 'mul' || node.op === 'div')) replacement.set(y!, a)
    else if (ones.has(a) && same(b) && node.op === 'mul') replacement.set(y!, b)
    return { ...node, inputs: [a, b] }
  })
  const outputs = program.outputs.map((output) => ({ ...output, value: resolve(output.value) }))
  return deadCode({ ...program, nodes, outputs })
}
