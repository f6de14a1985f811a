import { barrierOf, requiredVram } from './admission.js'
import type { Provider } from './catalogue.js'
import type { Goal, PlanStep, ResolverState } from './resolver.js'

// The plan where nothing is to be chosen: every requirement has one provider, and nothing is in anyone's way. Most sets of
// modules are like that, and one walk over them is a fraction of a search.

/** Undefined where there is a choice, a wish or an obstacle: then the search decides, and says why. */
export function directPlan(goal: Goal, state: ResolverState): PlanStep[] | undefined {
  if (goal.strict || goal.apart) return undefined
  return new Walk(state).plan(goal.load)
}

/** A module on the way down. */
interface Frame {
  readonly provider: Provider
  readonly neededBy: PlanStep['neededBy']
  readonly bindings: string[]
  next: number
}

const open = 1
const done = 2

class Walk {
  readonly #state: ResolverState
  /** By the modules' places in the catalogue. */
  readonly #seen: Uint8Array
  readonly #path: Frame[] = []
  readonly #steps: PlanStep[] = []
  #ram = 0
  #vram = 0

  constructor(state: ResolverState) {
    this.#state = state
    this.#seen = new Uint8Array(state.catalogue.places)
  }

  plan(goals: readonly string[]): PlanStep[] | undefined {
    for (const id of goals) {
      if (this.#state.loaded.has(id)) continue
      const provider = this.#state.catalogue.entry(id)
      if (provider === undefined) return undefined
      if (this.#seen[provider.index] === 0 && !(this.#enter(provider, undefined) && this.#descend())) return undefined
    }
    return this.#steps
  }

  /** Walks until the path is empty. False: not for us. */
  #descend(): boolean {
    for (let top = this.#path.at(-1); top !== undefined; top = this.#path.at(-1)) {
      if (top.next === top.provider.manifest.requires.length) this.#leave(this.#path.pop()!)
      else if (!this.#follow(top)) return false
    }
    return true
  }

  /** The next requirement of a module. */
  #follow(frame: Frame): boolean {
    const { manifest, index } = frame.provider
    const requirement = manifest.requires[frame.next++]!
    const providers = this.#state.catalogue.providers(requirement.capability)
    const only = providers[0]
    if (providers.length !== 1 || only!.index === index) return false
    if (!this.#state.catalogue.satisfies(only!.version, requirement)) return false
    frame.bindings.push(only!.manifest.id)
    const seen = this.#seen[only!.index]
    if (seen === done || this.#state.loaded.has(only!.manifest.id)) return true
    return seen !== open && this.#enter(only!, { module: manifest.id, requirement: requirement.text })
  }

  #enter(provider: Provider, neededBy: PlanStep['neededBy']): boolean {
    if (!this.#free(provider)) return false
    this.#seen[provider.index] = open
    this.#path.push({ provider, neededBy, bindings: [], next: 0 })
    return true
  }

  /** Whether nothing speaks against a module, nor asks for a choice. */
  #free({ manifest }: Provider): boolean {
    const { catalogue } = this.#state
    if (manifest.optional.length > 0 || manifest.after.length > 0 || catalogue.conflictsOf(manifest.id).size > 0) return false
    const { provides } = manifest
    for (let i = 0; i < provides.length; i++) if (catalogue.providers(provides[i]!.capability).length > 1) return false
    return this.#fits(manifest) && barrierOf(manifest, this.#state, always) === undefined
  }

  #fits(manifest: Provider['manifest']): boolean {
    const { ram } = manifest.resources
    const vram = requiredVram(manifest)
    if (ram === 0 && vram === 0) return true
    const { capacity } = this.#state
    this.#ram += ram
    this.#vram += vram
    return capacity.unified !== true && this.#ram <= capacity.ram && this.#vram <= capacity.vram
  }

  #leave({ provider, neededBy, bindings }: Frame): void {
    this.#seen[provider.index] = done
    const { loaded } = this.#state
    const after = loaded.size === 0 ? bindings : bindings.filter((id) => !loaded.has(id))
    this.#steps.push({ manifest: provider.manifest, neededBy, bindings, after })
  }
}

const always = () => true
