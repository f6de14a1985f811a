import { carried } from '../ops/differentiation.js'
import type { Program } from '../program.js'

const ownDerivative: ReadonlySet<string> = new Set(['straightThrough', 'customGradient', 'checkpoint'])

/** Drops what ops keep only for being differentiated. From here on the program can be run, not differentiated through them. */
export function forgetDerivatives(program: Program): Program {
  const nodes = program.nodes.map((node) =>
    ownDerivative.has(node.op) ? { ...node, inputs: node.inputs.slice(0, carried(node.attributes)) } : node,
  )
  return { ...program, nodes }
}
