import type { Builder } from './builder.js'
import type { Node } from './program.js'
import type { Tensor } from './tensor.js'

/** Nodes, in order, that lie on a way from `sources` to `targets`. */
function between(nodes: readonly Node[], sources: ReadonlySet<number>, targets: Iterable<number>): Node[] {
  const reached = new Set(sources)
  const dependent = nodes.filter((node) => {
    if (!node.inputs.some((id) => reached.has(id))) return false
    for (const id of node.outputs) reached.add(id)
    return true
  })
  const needed = new Set(targets)
  const chosen = dependent.reverse().filter((node) => {
    if (!node.outputs.some((id) => needed.has(id))) return false
    for (const id of node.inputs) needed.add(id)
    return true
  })
  return chosen.reverse()
}

/** Records again what lies between some values and `targets`, with other tensors in place of these values. */
export function replay(builder: Builder, replacements: ReadonlyMap<number, Tensor>, targets: readonly Tensor[]): Tensor[] {
  const map = new Map(replacements)
  const now = (id: number) => map.get(id) ?? builder.tensor(id)
  const ids = targets.map(({ id }) => id)
  for (const { op, inputs, outputs, attributes } of between(builder.nodes, new Set(map.keys()), ids)) {
    const results = builder.apply(op, inputs.map(now), attributes)
    outputs.forEach((id, index) => {
      if (!replacements.has(id)) map.set(id, results[index]!)
    })
  }
  return ids.map(now)
}

/** What nodes from `start` on read, on the way to `targets`, of what was there before them. */
export function readBy(nodes: readonly Node[], targets: readonly Tensor[]): Set<number> {
  const needed = new Set(targets.map(({ id }) => id))
  const made = new Set<number>()
  for (const node of [...nodes].reverse()) {
    if (!node.outputs.some((id) => needed.has(id))) continue
    for (const id of node.outputs) made.add(id)
    for (const id of node.inputs) needed.add(id)
  }
  return new Set([...needed].filter((id) => !made.has(id)))
}
