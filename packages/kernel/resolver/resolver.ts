import type { ModuleErrorCode } from '../errors.js'
import type { Manifest, Requirement } from '../manifest/manifest.js'
import { didYouMean } from '../names.js'
import { type AdmissionState, type Refusal, refusal } from './admission.js'
import { LoadedSet } from './catalogue.js'
import { bindAndOrder } from './order.js'

// Which modules must be loaded, in which order, so that the goal stands. A pure function: same arguments, same answer.
// Depth-first search with backtracking over the providers of each requirement, best first. Requirements with one possible
// provider cost no choice point, so a plain dependency graph is planned in one pass.

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

export interface ResolverState extends AdmissionState {
  /** Providers to take first, by capability: the lock, the user's choice. */
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
  /** Modules that offer a capability of the goal and could be loaded (or are). */
  readonly alternatives: readonly string[]
}

export function plan(goal: Goal, present: ResolverState): Plan | Conflict {
  const state = goal.without === undefined ? present : leaving(goal.without, present)
  const result = new Search(goal, state).solve()
  if (result.ok) return result
  const alternatives = alternativesTo(goal, state)
  // One that is loaded already is an alternative too, but the reason has named it.
  const others = alternatives.filter((id) => !state.loaded.has(id))
  const hint = others.length === 0 ? '' : ` Alternatives that fit: ${others.join(', ')}.`
  return { ...result, alternatives, reason: result.reason + hint }
}

/** The state once some modules are gone. */
function leaving(ids: readonly string[], state: ResolverState): ResolverState {
  const loaded = new LoadedSet()
  const unavailable = new Map(state.unavailable)
  for (const id of ids) unavailable.set(id, `Module '${id}' is the one to be replaced.`)
  let { ram, vram } = state.capacity
  for (const id of state.loaded.ids()) {
    const manifest = state.catalogue.get(id)
    if (manifest === undefined) continue
    if (!ids.includes(id)) loaded.add(manifest)
    else {
      const held = state.held?.(id) ?? { ram: manifest.resources.ram, vram: requiredVram(manifest) }
      ram += held.ram
      vram += held.vram
    }
  }
  return { ...state, loaded, unavailable, capacity: { ...state.capacity, ram, vram } }
}

function alternativesTo(goal: Goal, state: ResolverState): string[] {
  const found = new Set<string>()
  for (const id of goal.load) {
    for (const { capability } of state.catalogue.get(id)?.provides ?? []) {
      for (const { manifest } of state.catalogue.providers(capability)) {
        if (goal.load.includes(manifest.id) || found.has(manifest.id)) continue
        if (new Search({ ...goal, load: [manifest.id] }, state).solve().ok) found.add(manifest.id)
      }
    }
  }
  return [...found]
}

interface Need {
  readonly owner: Manifest
  readonly requirement: Requirement
}

interface Chosen {
  readonly manifest: Manifest
  readonly need: Need | undefined
}

interface ChoicePoint {
  readonly head: number
  readonly agenda: number
  readonly chosen: number
  readonly need: Need
  readonly options: readonly Manifest[]
  next: number
}

// Enough for any real set; a graph built to defeat backtracking gets an answer, not an endless wait.
const maxSteps = 200_000

class Search {
  readonly #goal: Goal
  readonly #apart: ReadonlySet<string>
  readonly #state: ResolverState
  readonly #members = new LoadedSet()
  readonly #order: Chosen[] = []
  readonly #byId = new Map<string, Chosen>()
  readonly #agenda: Need[] = []
  readonly #choices: ChoicePoint[] = []
  #head = 0
  #ram = 0
  #vram = 0
  // The failure on the most preferred path is the one worth telling.
  #first: Conflict | undefined

  constructor(goal: Goal, state: ResolverState) {
    this.#goal = goal
    this.#state = state
    this.#apart = new Set(goal.apart)
  }

  solve(): Plan | Conflict {
    for (const id of this.#goal.load) {
      if (this.#state.loaded.has(id) || this.#byId.has(id)) continue
      const manifest = this.#state.catalogue.get(id)
      if (manifest === undefined) return conflict(this.#unknown(id), [id])
      const refused = this.#choose(manifest, undefined)
      if (refused) return conflict(refused, [id])
    }
    for (let steps = 0; ; steps++) {
      if (steps > maxSteps) {
        const reason = `No plan for '${this.#goal.load.join("', '")}' was found in ${maxSteps} steps. Load some of its requirements yourself first.`
        return conflict({ code: 'TOO_COMPLEX', module: this.#goal.load[0] ?? '', reason, modules: [] }, [...this.#goal.load])
      }
      const need = this.#agenda[this.#head]
      if (need === undefined) {
        const ordered = bindAndOrder(this.#order, this.#state, this.#apart)
        if (ordered.ok) return { ok: true, steps: ordered.steps }
        const named = [...ordered.cycle, ordered.cycle[0]!].join(' -> ')
        const reason = `Circular dependency: ${named}. Remove one of these requirements, or make it optional.`
        this.#fail(conflict({ code: 'CYCLE', module: ordered.cycle[0]!, reason, modules: ordered.cycle }, [...ordered.cycle]))
        if (!this.#backtrack()) return this.#first!
        continue
      }
      this.#head++
      if (!this.#satisfy(need) && !this.#backtrack()) return this.#first!
    }
  }

  /** Meets one need, or reports why not. */
  #satisfy(need: Need): boolean {
    const { catalogue, loaded } = this.#state
    const { requirement, owner } = need
    const options: Manifest[] = []
    let met = false
    for (const provider of catalogue.providers(requirement.capability)) {
      const { manifest } = provider
      if (manifest.id === owner.id || !catalogue.satisfies(provider.version, requirement)) continue
      if (loaded.has(manifest.id)) {
        if (this.#apart.has(manifest.id)) continue
        return true
      }
      if (this.#byId.has(manifest.id)) met = true
      else options.push(manifest)
    }
    if (met && options.length === 0) return true
    if (this.#goal.strict && !met) {
      const reason = `Required module '${requirement.text}' not loaded. Load it first, or leave out { strict: true } to load it along.`
      this.#fail(
        conflict({ code: 'REQUIREMENT_MISSING', module: owner.id, reason, modules: [requirement.capability] }, this.#chain(need)),
      )
      return false
    }
    const preferred = this.#state.prefer?.get(requirement.capability)
    if (preferred !== undefined) options.sort((a, b) => Number(b.id === preferred) - Number(a.id === preferred))
    if (options.length === 0) {
      this.#fail(this.#nobodyProvides(need))
      return false
    }
    const refusals: Refusal[] = []
    const choice: ChoicePoint = {
      head: this.#head,
      agenda: this.#agenda.length,
      chosen: this.#order.length,
      need,
      options,
      next: 0,
    }
    if (met) {
      // Another provider may still be needed to break a cycle; only then is it tried.
      this.#choices.push(choice)
      return true
    }
    if (this.#takeNext(choice, refusals)) return true
    this.#fail(this.#allRefused(need, refusals))
    return false
  }

  #takeNext(choice: ChoicePoint, refusals: Refusal[]): boolean {
    while (choice.next < choice.options.length) {
      const refused = this.#choose(choice.options[choice.next++]!, choice.need)
      if (refused === undefined) {
        if (choice.next < choice.options.length) this.#choices.push(choice)
        return true
      }
      refusals.push(refused)
    }
    return false
  }

  #backtrack(): boolean {
    for (let choice = this.#choices.pop(); choice !== undefined; choice = this.#choices.pop()) {
      while (this.#order.length > choice.chosen) this.#drop(this.#order.pop()!)
      this.#agenda.length = choice.agenda
      this.#head = choice.head
      if (this.#takeNext(choice, [])) return true
    }
    return false
  }

  #choose(manifest: Manifest, need: Need | undefined): Refusal | undefined {
    const refused = refusal(manifest, this.#state, this.#members, { ram: this.#ram, vram: this.#vram })
    if (refused) return refused
    const chosen: Chosen = { manifest, need }
    this.#members.add(manifest)
    this.#order.push(chosen)
    this.#byId.set(manifest.id, chosen)
    this.#ram += manifest.resources.ram
    this.#vram += requiredVram(manifest)
    for (const requirement of manifest.requires) this.#agenda.push({ owner: manifest, requirement })
    return undefined
  }

  #drop({ manifest }: Chosen): void {
    this.#members.delete(manifest.id)
    this.#byId.delete(manifest.id)
    this.#ram -= manifest.resources.ram
    this.#vram -= requiredVram(manifest)
  }

  #fail(failure: Conflict): void {
    this.#first ??= failure
  }

  /** Goal … owner of the need, then the need. */
  #chain(need: Need): string[] {
    const chain = [need.requirement.text]
    for (let at: Need | undefined = need; at !== undefined; at = this.#byId.get(at.owner.id)?.need) chain.unshift(at.owner.id)
    return chain
  }

  #unknown(id: string): Refusal {
    const reason = `Module '${id}' not registered${didYouMean(id, this.#state.catalogue.ids())}. Run 'enigma modules ls' to see what there is.`
    return { code: 'NOT_REGISTERED', module: id, reason, modules: [] }
  }

  #nobodyProvides(need: Need): Conflict {
    const { requirement, owner } = need
    const others = this.#state.catalogue.providers(requirement.capability).filter(({ manifest }) => manifest.id !== owner.id)
    const versions = others.map(({ manifest, version }) => `${manifest.id} offers ${version}`)
    const why =
      others.length > 0
        ? versions.join(', ')
        : `nothing provides it${didYouMean(requirement.capability, this.#state.catalogue.ids())}`
    const reason = `Required module '${requirement.text}' not registered: ${chainText(this.#chain(need))}, and ${why}. Add a module that provides it.`
    return conflict(
      { code: 'NO_PROVIDER', module: owner.id, reason, modules: others.map(({ manifest }) => manifest.id) },
      this.#chain(need),
    )
  }

  #allRefused(need: Need, refusals: readonly Refusal[]): Conflict {
    const reasons = refusals.map((refused) => `${refused.module}: ${refused.reason}`).join('; ')
    const reason = `Required module '${need.requirement.text}' cannot be loaded: ${chainText(this.#chain(need))}; ${reasons}`
    const modules = refusals.map(({ module }) => module)
    return conflict({ code: refusals[0]!.code, module: need.owner.id, reason, modules }, this.#chain(need))
  }
}

function requiredVram(manifest: Manifest): number {
  return manifest.resources.gpu === 'preferred' ? 0 : manifest.resources.vram
}

function chainText(chain: readonly string[]): string {
  return chain
    .slice(1)
    .map((needed, i) => `${i === 0 ? `'${chain[0]}'` : 'it'} needs '${needed}'`)
    .join(', ')
}

function conflict({ code, module, reason, modules }: Refusal, chain: readonly string[]): Conflict {
  return { ok: false, code, module, reason, chain, modules, alternatives: [] }
}
