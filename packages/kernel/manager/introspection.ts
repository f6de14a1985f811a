import type { ModuleRecord } from '../lifecycle/record.js'
import type { ModuleState } from '../lifecycle/state.js'
import type { Conflict, Plan } from '../resolver/resolver.js'
import { directDependents } from './dependents.js'
import type { World } from './world.js'

// What is loaded and why: as data, each with a `text` for people.

export interface GraphEdge {
  readonly from: string
  readonly to: string
  /** `requires` holds; `optional` and `after` order only. */
  readonly kind: 'requires' | 'optional' | 'after'
  readonly requirement: string
}

export interface ModuleGraph {
  readonly nodes: readonly { readonly id: string; readonly state: ModuleState; readonly provides: readonly string[] }[]
  readonly edges: readonly GraphEdge[]
  readonly text: string
}

/** Every module and its edges. An edge of a loaded module leads to what it is bound to, of another to the preferred provider. */
export function moduleGraph({ records, catalogue }: World): ModuleGraph {
  const edges: GraphEdge[] = []
  for (const { manifest, up, providers } of records.values()) {
    const from = manifest.id
    manifest.requires.forEach(({ capability, text }, i) => {
      const to = (up ? providers[i]?.id : undefined) ?? catalogue.providers(capability)[0]?.manifest.id ?? capability
      edges.push({ from, to, kind: 'requires', requirement: text })
    })
    for (const { capability, text } of manifest.optional) {
      edges.push({ from, to: catalogue.providers(capability)[0]?.manifest.id ?? capability, kind: 'optional', requirement: text })
    }
    for (const name of manifest.after) edges.push({ from, to: name, kind: 'after', requirement: name })
  }
  const nodes = [...records.values()].map(({ id, state, manifest }) => ({
    id,
    state,
    provides: manifest.provides.map(({ capability }) => capability),
  }))
  const lines = nodes.map(({ id, state }) => {
    const out = edges.filter((edge) => edge.from === id).map(({ to, kind }) => (kind === 'requires' ? to : `(${to})`))
    return out.length === 0 ? `${id} [${state}]` : `${id} [${state}] -> ${out.join(', ')}`
  })
  return { nodes, edges, text: lines.join('\n') }
}

export interface WhyLine {
  readonly id: string
  /** Undefined: asked for. */
  readonly neededBy: string | undefined
  readonly requirement: string | undefined
}

export interface Why {
  readonly id: string
  readonly state: ModuleState
  readonly reason: string
  /** The closure: what it needs, in load order, itself last. */
  readonly closure: readonly WhyLine[]
  /** Loaded modules bound to it. */
  readonly dependents: readonly string[]
  readonly alternatives: readonly string[]
  readonly text: string
}

/** Why a module is loaded; with `planned`, what loading it would bring in. */
export function why(world: World, record: ModuleRecord, planned: Plan | Conflict | undefined): Why {
  if (planned && !planned.ok) return whyNot(world, record, planned)
  const { id, state } = record
  const dependents = directDependents(world, record).map((dependent) => dependent.id)
  const closure = planned ? planned.steps.map(lineOfStep) : boundClosure(record)
  const others = closure.filter((line) => line.id !== id)
  let reason: string
  if (planned) {
    reason =
      others.length === 0
        ? `'${id}' is ${state}; it can be loaded and needs nothing more.`
        : `'${id}' is ${state}; loading it also loads ${list(others.map((line) => line.id))}.`
  } else if (record.wanted) reason = `'${id}' is ${state} because it was asked for.`
  else if (dependents.length === 0 && record.neededBy === undefined)
    reason = `'${id}' is ${state} because it was activated when it was needed.`
  else
    reason = `'${id}' is ${state} because ${list(dependents.length > 0 ? dependents : [record.neededBy ?? 'a module that is gone'])} needs it.`
  return { id, state, reason, closure, dependents, alternatives: [], text: [reason, ...closure.map(textOf)].join('\n') }
}

/** Why a module is not loaded. */
export function whyNot(world: World, record: ModuleRecord, planned: Plan | Conflict): Why {
  const { id, state } = record
  const dependents = directDependents(world, record).map((dependent) => dependent.id)
  const failed = record.error ? ` Last failure: ${record.error.message}` : ''
  const alternatives = planned.ok ? [] : planned.alternatives
  const closure = planned.ok ? planned.steps.map(lineOfStep) : []
  let reason: string
  if (record.up) reason = `'${id}' is ${state}: nothing is in its way.`
  else if (planned.ok) reason = `Nothing is in the way of '${id}': it is ${state} because nobody asked for it.${failed}`
  else reason = `'${id}' cannot be loaded: ${planned.reason}${failed}`
  return { id, state, reason, closure, dependents, alternatives, text: [reason, ...closure.map(textOf)].join('\n') }
}

function lineOfStep({ manifest, neededBy }: Plan['steps'][number]): WhyLine {
  return { id: manifest.id, neededBy: neededBy?.module, requirement: neededBy?.requirement }
}

function boundClosure(record: ModuleRecord): WhyLine[] {
  const found = new Map<ModuleRecord, WhyLine>([[record, { id: record.id, neededBy: undefined, requirement: undefined }]])
  for (const [one] of found) {
    one.providers.forEach((provider, i) => {
      if (!found.has(provider))
        found.set(provider, { id: provider.id, neededBy: one.id, requirement: one.manifest.requires[i]!.text })
    })
  }
  return [...found.values()].reverse()
}

function textOf({ id, neededBy, requirement }: WhyLine): string {
  if (neededBy === undefined) return `  ${id}`
  return requirement === id ? `  ${id}: needed by ${neededBy}` : `  ${id}: needed by ${neededBy} as ${requirement}`
}

function list(names: readonly string[]): string {
  return names.map((name) => `'${name}'`).join(', ')
}
