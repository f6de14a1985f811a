import type { ModuleErrorCode } from '../errors.js'
import type { Manifest } from '../manifest/manifest.js'
import { type AdmissionState, requiredVram } from './admission.js'
import { type Catalogue, LoadedSet } from './catalogue.js'
import type { Constraint } from './constraint.js'
import { directPlan } from './direct.js'
import { minimal, refusalOf } from './explain.js'
import { type Bound, withWishes } from './order.js'
import { Search } from './search.js'

// Which modules must be loaded, in which order, so that the goal stands. A pure function: same arguments, same answer.

/** The modules that shall be loaded at the end. */
export interface Goal {
  readonly load: readonly string[]
  /** Refuse instead of loading missing requirements (the seed documents' behaviour). */
  readonly strict?: boolean
  /** Modules treated as if they were not loaded, their capabilities and memory free; they may not be in the plan. */
  readonly without?: readonly string[]
  /** Loaded modules that no step may be bound to. */
  readonly apart?: readonly string[]
}

/** What an earlier resolution came to. A preference, not a wall: what no longer fits gives way. */
export interface Lock {
  /** Module by capability. */
  readonly bindings: ReadonlyMap<string, string>
  /** Version by module. */
  readonly versions: ReadonlyMap<string, string>
}

export interface ResolverState extends AdmissionState {
  readonly lock?: Lock
  /** The user's choice of providers, by capability. */
  readonly prefer?: ReadonlyMap<string, string>
}

export interface PlanStep {
  readonly manifest: Manifest
  /** Why it is in the plan: undefined is the goal itself. */
  readonly neededBy: { readonly module: string; readonly requirement: string } | undefined
  /** Module bound to each requirement, in the order of `manifest.requires`. */
  readonly bindings: readonly string[]
  /** Steps of this plan that come first (requirements, then present optional and `after` ones). */
  readonly after: readonly string[]
}

/** What to load, requirements before those that need them. Empty when the goal stands already. */
export interface Plan {
  readonly ok: true
  readonly steps: readonly PlanStep[]
}

export interface Conflict {
  readonly ok: false
  readonly code: ModuleErrorCode
  /** The module that cannot be loaded. */
  readonly module: string
  /** One sentence with the cause, then what to do. */
  readonly reason: string
  /** From the goal down to the requirement that fails. */
  readonly chain: readonly string[]
  readonly modules: readonly string[]
  /**
   * The cause in full: no plan meets these constraints together, and some plan meets all but any one of them. (When the
   * search for it was given up, it may hold more than that; it is empty with `TOO_COMPLEX`.)
   */
  readonly because: readonly Constraint[]
  /** Modules that offer a capability of the goal and could be loaded (or are). */
  readonly alternatives: readonly string[]
}

// Some tenths of a second of work.
const maxSteps = 400_000

/** Modules that are looked at as alternatives of one refusal, at most. */
const maxAlternatives = 20

export function plan(goal: Goal, present: ResolverState): Plan | Conflict {
  const state = goal.without === undefined ? present : leaving(goal.without, present)
  const direct = directPlan(goal, state)
  if (direct) return { ok: true, steps: direct }
  const result = new Search(goal, state, { steps: maxSteps }).solve()
  if (result?.found) return { ok: true, steps: stepsOf(result.members, state.catalogue) }
  const alternatives = alternativesTo(goal, state)
  // One that is loaded already is an alternative too, but the reason has named it.
  const others = alternatives.filter((id) => !state.loaded.has(id))
  const hint = others.length === 0 ? '' : ` Alternatives that fit: ${others.join(', ')}.`
  if (result === undefined) return tooComplex(goal, alternatives, hint)
  const because = minimal(result.because, goal, state)
  const refusal = refusalOf(because, goal, state)
  return { ok: false, ...refusal, reason: refusal.reason + hint, because, alternatives }
}

function tooComplex({ load }: Goal, alternatives: readonly string[], hint: string): Conflict {
  const reason = `No plan for '${load.join("', '")}' was found in ${maxSteps} steps. Load some of its requirements yourself first.${hint}`
  return { ok: false, code: 'TOO_COMPLEX', module: load[0] ?? '', reason, chain: load, modules: [], because: [], alternatives }
}

function stepsOf(order: readonly Bound[], catalogue: Catalogue): PlanStep[] {
  const users = usersOf(order)
  return withWishes(order, catalogue).map((bound) => ({
    manifest: bound.member.manifest,
    neededBy: users.get(bound.member),
    bindings: bound.providers.map(idOf),
    after: bound.before.map(idOfBound),
  }))
}

function idOf({ manifest }: { readonly manifest: Manifest }): string {
  return manifest.id
}

function idOfBound({ member }: Bound): string {
  return member.manifest.id
}

/** Who needs each member: whoever brought it in; if that is bound to another provider now, the first that is bound to it. */
function usersOf(order: readonly Bound[]): Map<Bound['member'], PlanStep['neededBy']> {
  const users = new Map<Bound['member'], PlanStep['neededBy']>()
  for (const { member, providers } of order) {
    const { id, requires } = member.manifest
    for (let i = 0; i < providers.length; i++) {
      const provider = providers[i]
      if (provider?.via === undefined) continue
      const brought = provider.via.owner === member && provider.via.requirement === i
      if (brought || !users.has(provider)) users.set(provider, { module: id, requirement: requires[i]!.text })
    }
  }
  return users
}

/** The state once some modules are gone. */
function leaving(ids: readonly string[], state: ResolverState): ResolverState {
  const gone = new Set(ids)
  const loaded = new LoadedSet()
  let { ram, vram } = state.capacity
  const { gpu, unified } = state.capacity
  for (const manifest of state.loaded.all()) {
    if (!gone.has(manifest.id)) {
      loaded.add(manifest)
      continue
    }
    const held = state.held?.(manifest.id) ?? { ram: manifest.resources.ram, vram: requiredVram(manifest) }
    if (unified) {
      ram += held.ram + held.vram
      vram += gpu ? held.ram + held.vram : 0
    } else {
      ram += held.ram
      vram += held.vram
    }
  }
  return { ...state, loaded, leaving: gone, capacity: { ram, vram, gpu, ...(unified && { unified }) } }
}

function alternativesTo(goal: Goal, state: ResolverState): string[] {
  const asked = new Set(goal.load)
  const tried = new Set<string>()
  const budget = { steps: maxSteps }
  const found: string[] = []
  for (const id of goal.load) {
    for (const { capability } of state.catalogue.get(id)?.provides ?? []) {
      for (const { manifest } of state.catalogue.providers(capability)) {
        if (asked.has(manifest.id) || tried.has(manifest.id) || tried.size >= maxAlternatives) continue
        tried.add(manifest.id)
        if (new Search({ ...goal, load: [manifest.id] }, state, budget).solve()?.found) found.push(manifest.id)
      }
    }
  }
  return found
}
