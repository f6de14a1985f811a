import type { Program } from '../program.js'

/** Removes nodes and constants that no output depends on. Inputs stay: they are the program's interface. */
export function deadCode(program: Program): Program {
  const live = new Set(program.outputs.map((output) => output.value))
  const nodes = [...program.nodes].reverse().filter((node) => {
    if (!node.outputs.some((id) => live.has(id))) return false
    for (const id of node.inputs) live.add(id)
    return true
  })
  return { ...program, nodes: nodes.reverse(), constants: program.constants.filter(({ value }) => live.has(value)) }
}
