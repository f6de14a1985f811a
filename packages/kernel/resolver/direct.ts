import { type BarrierCheck, barriersIn, requiredVram } from './admission.js'
import type { Catalogue, Provider } from './catalogue.js'
import type { Goal, PlanStep, ResolverState } from './resolver.js'

// The plan where nothing is to be chosen: every requirement has one provider, and nothing is in anyone's way. Most sets of
// modules are like that, and one walk over them is a fraction of a search.

/** Undefined where there is a choice, a wish or an obstacle: then the search decides, and says why. */
export function directPlan(goal: Goal, state: ResolverState): PlanStep[] | undefined {
  if (goal.strict || goal.apart) return undefined
  return new Walk(state).plan(goal.load)
}

/** A module on the way down. */
interface Visit {
  readonly provider: Provider
  readonly neededBy: PlanStep['neededBy']
  /** Once it is entered. */
  bindings: readonly string[]
}

const open = 1
const done = 2
const none: readonly string[] = []

class Walk {
  readonly #state: ResolverState
  readonly #catalogue: Catalogue
  readonly #barriers: readonly BarrierCheck[]
  /** By the modules' places in the catalogue. */
  readonly #seen: Uint8Array
  /** Those that are open, each with what it needs and is not done above it. */
  readonly #path: Visit[] = []
  readonly #steps: PlanStep[] = []
  #ram = 0
  #vram = 0

  constructor(state: ResolverState) {
    this.#state = state
    this.#catalogue = state.catalogue
    this.#barriers = barriersIn(state)
    this.#seen = new Uint8Array(state.catalogue.places)
  }

  plan(goals: readonly string[]): PlanStep[] | undefined {
    for (const id of goals) {
      if (this.#state.loaded.has(id)) continue
      const provider = this.#catalogue.entry(id)
      if (provider === undefined) return undefined
      this.#path.push({ provider, neededBy: undefined, bindings: none })
      if (!this.#walk()) return undefined
    }
    return this.#steps
  }

  /** Until the path is empty. False: not for us. */
  #walk(): boolean {
    const path = this.#path
    const seen = this.#seen
    while (path.length > 0) {
      const top = path[path.length - 1]!
      const { manifest, index } = top.provider
      const state = seen[index]
      if (state === 0) {
        seen[index] = open
        if (!this.#free(manifest) || !this.#enter(top, manifest)) return false
      } else {
        path.pop()
        if (state === open) this.#leave(top)
      }
    }
    return true
  }

  #enter(visit: Visit, manifest: Provider['manifest']): boolean {
    const { requires } = manifest
    const count = requires.length
    if (count === 0) return true
    const seen = this.#seen
    const catalogue = this.#catalogue
    // In its size: an array that grows takes room for seventeen.
    const bindings = new Array<string>(count)
    visit.bindings = bindings
    // The first requirement ends on top of the path.
    for (let i = count - 1; i >= 0; i--) {
      const only = catalogue.only(requires[i]!)
      if (only === undefined || (seen[only.index] !== done && !this.#reach(only, manifest, i))) return false
      bindings[i] = only.manifest.id
    }
    return true
  }

  /** Puts a provider on the path, unless it is there for others. False: it is one of those that need it. */
  #reach(provider: Provider, { id, requires }: Provider['manifest'], requirement: number): boolean {
    const { loaded } = this.#state
    if (loaded.size > 0 && loaded.has(provider.manifest.id)) return true
    if (this.#seen[provider.index] === open) return false
    this.#path.push({ provider, neededBy: { module: id, requirement: requires[requirement]!.text }, bindings: none })
    return true
  }

  #leave({ provider, neededBy, bindings }: Visit): void {
    this.#seen[provider.index] = done
    const { loaded } = this.#state
    const after = loaded.size === 0 ? bindings : bindings.filter((id) => !loaded.has(id))
    this.#steps.push({ manifest: provider.manifest, neededBy, bindings, after })
  }

  /** Whether nothing speaks against a module, nor asks for a choice. */
  #free(manifest: Provider['manifest']): boolean {
    const { provides } = manifest
    const catalogue = this.#catalogue
    if (manifest.optional.length > 0 || manifest.after.length > 0 || catalogue.conflictsOf(manifest.id).size > 0) return false
    for (let i = 0; i < provides.length; i++) if (catalogue.isShared(provides[i]!.capability)) return false
    const state = this.#state
    const barriers = this.#barriers
    for (let i = 0; i < barriers.length; i++) if (barriers[i]!(manifest, state)) return false
    return this.#fits(manifest)
  }

  #fits(manifest: Provider['manifest']): boolean {
    const { ram, vram } = manifest.resources
    if (ram === 0 && vram === 0) return true
    const { capacity } = this.#state
    this.#ram += ram
    this.#vram += requiredVram(manifest)
    return capacity.unified !== true && this.#ram <= capacity.ram && this.#vram <= capacity.vram
  }
}
