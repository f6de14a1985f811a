import type { Program } from '../program.js'

/**
 * Puts nodes that no other node reads (results: the gradients of weights) last, in reverse. ONNX Runtime orders a graph by a search
 * back from its results, the last one first: in this order each gradient is computed as soon as it can be, and what it was computed
 * from is freed. In the natural order it would compute the first weights' gradients first, and keep everything for the others.
 */
export function gradientsEarly(program: Program): Program {
  const read = new Set(program.nodes.flatMap(({ inputs }) => inputs))
  const isRead = ({ outputs }: { readonly outputs: readonly number[] }) => outputs.some((id) => read.has(id))
  const inner = program.nodes.filter(isRead)
  const results = program.nodes.filter((node) => !isRead(node))
  return { ...program, nodes: [...inner, ...results.reverse()] }
}
