import type { Node, Program } from '../program.js'
import { deadCode } from './dead-code.js'
import { producers } from './uses.js'

const swapsLastTwo = (order: readonly number[]) => {
  const rank = order.length
  return rank >= 2 && order.every((from, to) => from === (to === rank - 1 ? rank - 2 : to === rank - 2 ? rank - 1 : to))
}

/** Turns a transpose of the last two dimensions before a product into the product's flag, which costs nothing. */
export function foldTransposes(program: Program): Program {
  const made = producers(program)
  const transposed = (id: number) => {
    const node = made.get(id)
    return node?.op === 'transpose' && swapsLastTwo(node.attributes.order as readonly number[]) ? node.inputs[0] : undefined
  }
  const nodes = program.nodes.map((node): Node => {
    if (node.op !== 'matmul') return node
    const [a, b] = node.inputs as [number, number]
    const [fromA, fromB] = [transposed(a), transposed(b)]
    if (fromA === undefined && fromB === undefined) return node
    const { transA, transB } = node.attributes
    const attributes = {
      ...node.attributes,
      transA: fromA === undefined ? transA! : !transA,
      transB: fromB === undefined ? transB! : !transB,
    }
    return { ...node, inputs: [fromA ?? a, fromB ?? b], attributes }
  })
  return deadCode({ ...program, nodes })
}
