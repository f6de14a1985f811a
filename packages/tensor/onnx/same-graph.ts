import type { OnnxAttribute } from '../ops/define.js'
import type { OnnxGraph, OnnxInitializer, OnnxNode } from './protobuf.js'

/** What first differs between two graphs, in words; undefined if they are equal but for the names of intermediates. */
export function sameGraph(expected: OnnxGraph, given: OnnxGraph): string | undefined {
  if (expected.nodes.length !== given.nodes.length) return `a graph of ${expected.nodes.length} nodes`
  const weights = (graph: OnnxGraph) => new Map(graph.initializers.map((initializer) => [initializer.name, initializer]))
  const [ours, theirs] = [weights(expected), weights(given)]
  /** Name there → name here. */
  const names = new Map<string, string>(['', ...expected.inputs.map(({ name }) => name)].map((name) => [name, name]))
  const outputs = new Set(expected.outputs.map(({ name }) => name))

  const sameInput = (here: string, there: string): boolean => {
    const mapped = names.get(there)
    if (mapped !== undefined) return mapped === here
    const [a, b] = [ours.get(here), theirs.get(there)]
    // A weight with a name of its own was read from this file.
    const named = here === there && !here.startsWith('#')
    if (!a || !b || !(named || sameWeight(a, b))) return false
    names.set(there, here)
    return true
  }
  const sameOutput = (here: string, there: string): boolean => {
    if (here === '' || there === '') return here === there
    if (names.has(there) || (outputs.has(here) && here !== there)) return false
    names.set(there, here)
    return true
  }
  const wrong = expected.nodes.findIndex((node, index) => {
    const other = given.nodes[index]!
    return !(
      sameNode(node, other) &&
      node.inputs.every((name, position) => sameInput(name, other.inputs[position]!)) &&
      node.outputs.every((name, position) => sameOutput(name, other.outputs[position]!))
    )
  })
  if (wrong >= 0) return `the node '${given.nodes[wrong]!.outputs[0]}' (${given.nodes[wrong]!.op})`
  const output = expected.outputs.find((value, index) => {
    const other = given.outputs[index]
    return other?.dtype !== value.dtype || JSON.stringify(other.shape) !== JSON.stringify(value.shape)
  })
  return output && `the output '${output.name}'`
}

function sameNode(a: OnnxNode, b: OnnxNode): boolean {
  const keys = Object.keys(a.attributes)
  return (
    a.op === b.op &&
    a.domain === b.domain &&
    a.inputs.length === b.inputs.length &&
    a.outputs.length === b.outputs.length &&
    keys.length === Object.keys(b.attributes).length &&
    keys.every((key) => Object.hasOwn(b.attributes, key) && sameAttribute(a.attributes[key]!, b.attributes[key]!))
  )
}

function sameAttribute(a: OnnxAttribute, b: OnnxAttribute): boolean {
  const float = (value: OnnxAttribute) => (typeof value === 'object' && 'float' in value ? Math.fround(value.float) : value)
  const [x, y] = [float(a), float(b)]
  return typeof x === 'object' ? JSON.stringify(x) === JSON.stringify(y) : Object.is(x, y)
}

/** The elements are only made where as many are in the file: a shape alone must not allocate. */
function sameWeight(a: OnnxInitializer, b: OnnxInitializer): boolean {
  if (a.dtype !== b.dtype || a.shape.join() !== b.shape.join()) return false
  const bytes = ({ data }: OnnxInitializer) => {
    const elements = data()
    return new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength)
  }
  const [x, y] = [bytes(a), bytes(b)]
  return x.byteLength === y.byteLength && x.every((byte, index) => byte === y[index])
}
