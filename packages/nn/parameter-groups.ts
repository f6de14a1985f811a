import { NnError } from './errors.js'
import type { Optimizer, ParameterGroup } from './optim/index.js'
import type { Parameter } from './parameter.js'
import type { Trained } from './step-memory.js'

interface Trainable {
  readonly parameters: Iterable<readonly [string, Parameter]>
  readonly optimizer: Optimizer | readonly ParameterGroup[]
}

const isGroups = (optimizer: Optimizer | readonly ParameterGroup[]): optimizer is readonly ParameterGroup[] =>
  Array.isArray(optimizer)

/** Parameters of groups may come from generators, which give them once. */
export const settled = (optimizer: Optimizer | readonly ParameterGroup[]): Optimizer | readonly ParameterGroup[] =>
  isGroups(optimizer) ? optimizer.map((group) => ({ ...group, parameters: [...group.parameters] })) : optimizer

/** The optimizer whose learning rate a step's caller sets: of several groups the first that learns, since a rate of 0 has no multiples. */
export function leadingOptimizer({ optimizer }: { readonly optimizer: Optimizer | readonly ParameterGroup[] }): Optimizer {
  if (!isGroups(optimizer)) return optimizer
  const [first] = optimizer
  if (!first) throw new NnError('INVALID_ARGUMENT', 'There is no group of parameters to train. Give at least one.')
  return (optimizer.find((group) => group.optimizer.lr !== 0) ?? first).optimizer
}

/** The parameters to train among those the loss uses. @throws NnError INVALID_ARGUMENT for a parameter in two groups */
export function trainedOf({ parameters, optimizer }: Trainable, used: ReadonlySet<Parameter>): Trained[] {
  const chosen = new Map<Parameter, Optimizer>()
  const all = [...parameters]
  if (isGroups(optimizer)) {
    const names = new Map(all.map(([name, parameter]) => [parameter, name]))
    for (const group of optimizer)
      for (const parameter of group.parameters) {
        if (chosen.has(parameter))
          throw new NnError('INVALID_ARGUMENT', `Parameter '${names.get(parameter)}' is in two groups. Keep it in one.`)
        chosen.set(parameter, group.optimizer)
      }
  } else for (const [, parameter] of all) chosen.set(parameter, optimizer)
  return all.flatMap(([name, parameter]) => {
    const by = chosen.get(parameter)
    return by && used.has(parameter) && parameter.requiresGrad ? [{ name, parameter, optimizer: by }] : []
  })
}
