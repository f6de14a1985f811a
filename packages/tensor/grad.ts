import { Builder } from './builder.js'
import { TensorError } from './errors.js'
import { opTable } from './ops/index.js'
import { deadCode } from './passes/dead-code.js'
import type { Node, Program } from './program.js'
import type { Tensor } from './tensor.js'

/** Values among nodes from `start` on that depend on one of `sources`. */
function dependents(nodes: readonly Node[], start: number, sources: readonly Tensor[]): Set<number> {
  const reached = new Set(sources.map((tensor) => tensor.id))
  for (const node of nodes.slice(start))
    if (node.inputs.some((id) => reached.has(id))) for (const id of node.outputs) reached.add(id)
  return reached
}

/**
 * Reverse-mode differentiation inside a program that is being traced: the gradients of Σ outputᵢ · seedᵢ with respect to
 * `wrt`, looking back no further than node `start`. The gradients are ordinary nodes, so they can be differentiated again.
 */
function backward(
  builder: Builder,
  seeds: Iterable<readonly [Tensor, Tensor]>,
  wrt: readonly Tensor[],
  start = 0,
): (Tensor | undefined)[] {
  const nodes = builder.nodes.slice(start)
  const relevant = dependents(builder.nodes, start, wrt)
  const gradients = new Map<number, Tensor>()
  const accumulate = (id: number, gradient: Tensor) => {
    const sum = gradients.get(id)
    gradients.set(id, sum ? sum.add(gradient) : gradient)
  }
  for (const [output, seed] of seeds) accumulate(output.id, seed)

  for (const node of nodes.reverse()) {
    const outputGradients = node.outputs.map((id) => gradients.get(id))
    if (!node.outputs.some((id, index) => relevant.has(id) && outputGradients[index])) continue
    const inputs = node.inputs.map((id) => builder.tensor(id))
    const outputs = node.outputs.map((id) => builder.tensor(id))
    const { vjp, decompose, results = 1 } = opTable[node.op]
    let inputGradients: (Tensor | undefined)[]
    if (decompose && (!vjp || outputGradients.slice(results).some(Boolean))) {
      // A second derivative reaches auxiliary outputs, which `vjp` does not cover; and some ops have no rule of their own.
      const from = builder.nodes.length
      const again = decompose(inputs, node.attributes, outputGradients)
      const localSeeds = again.flatMap((tensor, index) => {
        const seed = outputGradients[index]
        return seed ? [[tensor, seed] as const] : []
      })
      const totals = backward(builder, localSeeds, inputs, from)
      // A total covers every place of its tensor, so a tensor that is an input twice must not count twice.
      inputGradients = totals.map((total, index) => (node.inputs.indexOf(node.inputs[index]!) === index ? total : undefined))
    } else if (vjp) {
      inputGradients = vjp({ inputs, outputs, attributes: node.attributes, gradients: outputGradients })
    } else {
      throw new TensorError('NOT_DIFFERENTIABLE', `${node.op} has no derivative. Put stopGradient() before it if none is wanted.`)
    }
    node.inputs.forEach((id, index) => {
      const gradient = inputGradients[index]
      if (gradient && relevant.has(id)) accumulate(id, gradient)
    })
  }
  return wrt.map((tensor) => gradients.get(tensor.id))
}

export interface GradOptions {
  /** Name of the scalar output to differentiate. */
  readonly of: string
  /** Names of the f32 inputs to differentiate by. */
  readonly wrt: readonly string[]
}

/**
 * The program that computes everything `program` does and, as outputs `d.<input>`, the gradients of one scalar output.
 * Applying it again gives second derivatives: where the program has a `d.x` already, the new one is `d.d.x`, and so on.
 * An input the output does not depend on gets a gradient of zeros.
 */
export function grad(program: Program, { of, wrt }: GradOptions): Program {
  const builder = new Builder()
  const map = builder.inline(program)
  const outputs = Object.fromEntries(program.outputs.map(({ name, value }) => [name, map[value]!]))
  const target = outputs[of]
  if (!target) throw new TensorError('UNKNOWN_OUTPUT', `No output '${of}'. Outputs: ${Object.keys(outputs).join(', ')}.`)
  if (target.shape.length !== 0)
    throw new TensorError(
      'NOT_DIFFERENTIABLE',
      `grad needs a scalar, '${of}' is [${target.shape.join(', ')}]. Take sum() or mean() first.`,
    )
  const sources = wrt.map((name) => {
    const input = program.inputs.find((candidate) => candidate.name === name)
    if (!input)
      throw new TensorError('UNKNOWN_INPUT', `No input '${name}'. Inputs: ${program.inputs.map((i) => i.name).join(', ')}.`)
    return map[input.value]!
  })
  const gradients = backward(builder, [[target, builder.scalar(1)]], sources)
  const taken = new Set([...program.inputs, ...program.outputs].map(({ name }) => name))
  wrt.forEach((name, index) => {
    const source = sources[index]!
    let output = `d.${name}`
    while (taken.has(output)) output = `d.${output}`
    taken.add(output)
    outputs[output] = gradients[index] ?? builder.scalar(0).broadcastTo(source.shape as readonly number[])
  })
  return deadCode(builder.build(outputs))
}
