import type { Node, Program } from '../program.js'
import { deadCode } from './dead-code.js'
import { producers, useCounts } from './uses.js'

/**
 * add(c, matmul(a, b)) of matrices becomes gemm(a, b, c): the product accumulates into a copy of c instead of making a
 * second result and adding. Gradients that meet at a residual connection are of this form.
 */
export function fuseGemm(program: Program): Program {
  const made = producers(program)
  const uses = useCounts(program)
  const rank = (id: number) => program.values[id]!.shape.length
  const product = (id: number): Node | undefined => {
    const node = made.get(id)
    return node?.op === 'matmul' && rank(node.inputs[0]!) === 2 && rank(node.inputs[1]!) === 2 && uses.get(id) === 1
      ? node
      : undefined
  }
  const position = new Map(program.nodes.map((node, index) => [node, index]))
  const nodes = program.nodes.map((node): Node => {
    if (node.op !== 'add') return node
    const [a, b] = node.inputs as [number, number]
    // Of two products the later one absorbs the earlier, which is ready by then.
    const candidates = [a, b].flatMap((id, index) => {
      const matmul = product(id)
      return matmul ? [{ matmul, other: index === 0 ? b : a }] : []
    })
    const chosen = candidates.sort((x, y) => position.get(y.matmul)! - position.get(x.matmul)!)[0]
    if (!chosen) return node
    const same = program.values[chosen.matmul.outputs[0]!]!.shape.join() === program.values[node.outputs[0]!]!.shape.join()
    if (!same) return node
    return {
      op: 'gemm',
      inputs: [...chosen.matmul.inputs, chosen.other],
      outputs: node.outputs,
      attributes: chosen.matmul.attributes,
    }
  })
  return deadCode({ ...program, nodes })
}
