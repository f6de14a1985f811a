import type { HostTensor, Tensor } from '@enigma/tensor'
import { NnError } from './errors.js'
import { Parameter } from './parameter.js'

export type StateDict = Record<string, HostTensor>

/** A layer of one tensor, as pipelines chain them. */
export type UnaryLayer = Layer & { forward(x: Tensor): Tensor }

const isLayer = (value: unknown): value is Layer => value instanceof Layer

/** The parameters and layers among the fields of a layer; arrays of layers are numbered, as PyTorch's ModuleList. */
function* members(layer: Layer): Generator<[string, Parameter | Layer]> {
  for (const [name, value] of Object.entries(layer)) {
    if (value instanceof Parameter || isLayer(value)) yield [name, value]
    else if (Array.isArray(value))
      for (const [index, item] of value.entries()) if (isLayer(item)) yield [`${name}.${index}`, item]
  }
}

/**
 * A piece of a neural network: parameters, sub-layers, and how they turn tensors into tensors. Fields that are parameters,
 * layers or arrays of layers are found by themselves; their field names make the keys of `stateDict`.
 */
export abstract class Layer {
  /** What the layer computes. Layers take what they need; most take one tensor. */
  abstract forward(...inputs: never[]): Tensor

  /** Own and inherited parameters with dotted names, in field order; a shared parameter appears once, under its first name. */
  *namedParameters(prefix = '', seen = new Set<Parameter>()): Generator<[string, Parameter]> {
    for (const [name, member] of members(this)) {
      if (isLayer(member)) yield* member.namedParameters(`${prefix}${name}.`, seen)
      else if (!seen.has(member)) {
        seen.add(member)
        yield [`${prefix}${name}`, member]
      }
    }
  }

  parameters(): Parameter[] {
    return [...this.namedParameters()].map(([, parameter]) => parameter)
  }

  parameterCount(): number {
    return this.parameters().reduce((sum, parameter) => sum + parameter.size, 0)
  }

  /** The parameters by name. The arrays are the live ones: copy them to keep them. */
  stateDict(): StateDict {
    return Object.fromEntries(this.namedParameters())
  }

  /**
   * Copies `state` into the parameters.
   * @throws NnError STATE_MISMATCH naming missing, unexpected and wrongly shaped tensors (`strict: false` allows the first two)
   */
  loadStateDict(state: StateDict, { strict = true }: { strict?: boolean } = {}): void {
    const own = new Map(this.namedParameters())
    const missing = [...own.keys()].filter((name) => !(name in state))
    const unexpected = Object.keys(state).filter((name) => !own.has(name))
    const misshapen = [...own].flatMap(([name, parameter]) => {
      const given = state[name]
      if (!given || (given.shape.join() === parameter.shape.join() && given.dtype === 'f32')) return []
      return [`${name} is ${given.dtype}[${given.shape}], expected f32[${parameter.shape}]`]
    })
    const problems = [
      ...(strict && missing.length > 0 ? [`missing ${missing.join(', ')}`] : []),
      ...(strict && unexpected.length > 0 ? [`unexpected ${unexpected.join(', ')}`] : []),
      ...misshapen,
    ]
    if (problems.length > 0) throw new NnError('STATE_MISMATCH', `The state does not fit this network: ${problems.join('; ')}.`)
    for (const [name, parameter] of own) {
      const given = state[name]
      if (given) parameter.data.set(given.data as Float32Array)
    }
  }
}
