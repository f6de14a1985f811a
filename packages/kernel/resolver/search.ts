import type { Manifest, Provision, Requirement } from '../manifest/manifest.js'
import { barrierOf, requiredVram } from './admission.js'
import type { Provider } from './catalogue.js'
import { between, type Constraint, type ConstraintKind, keyOf } from './constraint.js'
import { type Choice, Explanation, type Member } from './explanation.js'
import { type Bound, bindMembers } from './order.js'
import { byPreference, wanted } from './preference.js'
import type { Goal, ResolverState } from './resolver.js'

// Which modules must be loaded so that the goal stands: depth first over the requirements, best provider first. When a
// need cannot be met, the explanation says which choices it follows from: the last of them takes its next option.
//
// Complete: a choice's options are all modules that could meet its need, and what fails under one option is tried under
// no other (`#excluded`), so that n candidate modules cost at most 2ⁿ steps, and plain graphs cost one pass.

export type Found =
  /** The members of the plan, each bound to its providers, those first. */
  | { readonly found: true; readonly members: readonly Bound[] }
  /** Constraints that no plan can meet together. */
  | { readonly found: false; readonly because: readonly Constraint[] }

/** Steps a search may take: a graph built to defeat it gets an answer, not an endless wait. */
export interface Budget {
  steps: number
}

export class Search {
  readonly #goal: Goal
  readonly #state: ResolverState
  readonly #budget: Budget
  readonly #only: ReadonlySet<string> | undefined
  readonly #apart: ReadonlySet<string> | undefined
  readonly #someLoaded: boolean
  readonly #members: Member[] = []
  /** Members, and loaded modules that were asked about, by place in the catalogue. */
  readonly #known: (Member | undefined)[]
  readonly #choices: Choice[] = []
  readonly #excluded = new Map<number, Choice>()
  // The need looked at: of which member, and which of its requirements.
  #at = 0
  #next = 0
  #ram = 0
  #vram = 0

  /** `only` are the keys of the constraints that count; by default all. */
  constructor(goal: Goal, state: ResolverState, budget: Budget, only?: ReadonlySet<string>) {
    this.#goal = goal
    this.#state = state
    this.#budget = budget
    this.#only = only
    this.#apart = goal.apart && new Set(goal.apart)
    this.#someLoaded = state.loaded.size > 0
    // Full from the start: an array that grows from its far end is a slow one.
    this.#known = new Array<Member | undefined>(state.catalogue.places).fill(undefined)
  }

  /** Undefined when the budget is spent. */
  solve(): Found | undefined {
    const { loaded, catalogue } = this.#state
    for (const id of this.#goal.load) {
      if (this.#only && !this.#counts({ kind: 'goal', module: id })) continue
      const entry = catalogue.entry(id)
      const failure = entry ? this.#enterGoal(entry) : loaded.has(id) ? undefined : new Explanation()
      if (failure) return { found: false, because: [...failure.add({ kind: 'goal', module: id }).constraints.values()] }
    }
    for (;;) {
      if (this.#budget.steps <= 0) return undefined
      let failure = this.#walk()
      if (failure === undefined) {
        const bound = bindMembers(this.#members, (owner, index) => this.#present(owner, index))
        if (bound.ok) return { found: true, members: bound.order }
        failure = this.#open(bound.stuck)
      }
      const final = failure && this.#backtrack(failure)
      if (final) return { found: false, because: [...final.constraints.values()] }
    }
  }

  #enterGoal(entry: Provider): Explanation | undefined {
    return this.#find(entry) ? undefined : this.#enter(entry, undefined)
  }

  /** Meets the needs of all members, in order of arrival. */
  #walk(): Explanation | undefined {
    while (this.#at < this.#members.length) {
      const owner = this.#members[this.#at]!
      const { requires } = owner.manifest
      while (this.#next < requires.length) {
        const index = this.#next++
        const failure = this.#meet(owner, index, requires[index]!)
        if (failure) return failure
      }
      this.#at++
      this.#next = 0
    }
    return undefined
  }

  #meet(owner: Member, index: number, requirement: Requirement): Explanation | undefined {
    this.#budget.steps--
    if (this.#only && !this.#counts({ kind: 'requires', module: owner.manifest.id, what: requirement.text })) return undefined
    const candidates = this.#candidates(owner, requirement)
    const only = candidates.length === 1 ? this.#find(candidates[0]!) : undefined
    if (only === undefined || !this.#serves(only)) return this.#meetBy(candidates, owner, index, requirement)
    owner.bound[index] = only
    return undefined
  }

  // Apart from `#meet`: most requirements are met by a member that is known already, and a small function is cheap to run once.
  #meetBy(candidates: readonly Provider[], owner: Member, index: number, requirement: Requirement): Explanation | undefined {
    let met = false
    let options: Provider[] = []
    for (const provider of candidates) {
      const member = this.#find(provider)
      if (member === undefined) options.push(provider)
      else if (this.#serves(member)) met = true
    }
    if (met) {
      if (options.length === 0 || this.#goal.strict) return undefined
      options = this.#better(options, candidates, requirement.capability)
      if (options.length === 0) return undefined
    } else if (this.#goal.strict) options = []
    const failure = this.#advance({
      owner,
      requirement: index,
      options,
      next: 0,
      met,
      base: undefined,
      failed: undefined,
      members: this.#members.length,
      at: this.#at,
    })
    if (failure === undefined && candidates.length === 1) owner.bound[index] = this.#members.at(-1)
    return failure
  }

  /** Options that the lock or the user wants rather than what is there. */
  #better(options: readonly Provider[], candidates: readonly Provider[], capability: string): Provider[] {
    const { lock, prefer } = this.#state
    if (lock === undefined && prefer === undefined) return []
    const first = candidates.findIndex((provider) => this.#find(provider) && this.#serves(this.#find(provider)!))
    return options.filter((option) => candidates.indexOf(option) < first && wanted(option, capability, this.#state))
  }

  /** Takes the choice's next option. An explanation when none is left. */
  #advance(choice: Choice): Explanation | undefined {
    const { options } = choice
    while (choice.next < options.length) {
      const refused = this.#enter(options[choice.next++]!, choice)
      if (refused === undefined) {
        this.#choices.push(choice)
        return undefined
      }
      choice.failed = choice.failed?.merge(refused) ?? refused
    }
    this.#release(choice)
    if (choice.met) return undefined
    const why = choice.base ?? this.#need(choice.owner!, choice.requirement)
    return choice.failed?.merge(why) ?? why
  }

  /** Goes back to the last choice that the failure follows from. When it follows from none, that is the end, and why. */
  #backtrack(failure: Explanation): Explanation | undefined {
    let open = failure
    for (let choice = this.#choices.pop(); choice !== undefined; choice = this.#choices.pop()) {
      while (this.#members.length > choice.members) this.#leave(this.#members.pop()!)
      this.#at = choice.at
      this.#next = choice.requirement + 1
      if (!open.choices.delete(choice)) {
        this.#release(choice)
        continue
      }
      // Reasoning is work too, and grows with what it is about.
      this.#budget.steps -= open.constraints.size + open.choices.size
      const tried = choice.options[choice.next - 1]!
      this.#excluded.set(tried.index, choice)
      choice.failed = choice.failed?.merge(open) ?? copyOf(open)
      const next = this.#advance(choice)
      if (next === undefined) return undefined
      open = next
    }
    return open
  }

  #release(choice: Choice): void {
    if (choice.failed === undefined) return
    for (const { index } of choice.options) if (this.#excluded.get(index) === choice) this.#excluded.delete(index)
  }

  #enter({ manifest, index }: Provider, via: Choice | undefined): Explanation | undefined {
    const excluding = this.#excluded.size > 0 ? this.#excluded.get(index) : undefined
    if (excluding) return copyOf(excluding.failed!)
    const refused = this.#refusal(manifest)
    if (refused) return refused
    const member: Member = {
      manifest,
      index,
      loaded: false,
      position: this.#members.length,
      via,
      bound: new Array(manifest.requires.length),
    }
    this.#known[index] = member
    this.#members.push(member)
    this.#take(manifest, 1)
    return undefined
  }

  #leave({ manifest, index }: Member): void {
    this.#known[index] = undefined
    this.#take(manifest, -1)
  }

  /** Why a module may not join the members, if so. */
  #refusal(manifest: Manifest): Explanation | undefined {
    const { id } = manifest
    const barrier = barrierOf(manifest, this.#state, this.#countsBarrier)
    if (barrier) return new Explanation().add({ kind: barrier, module: id })
    return this.#memory(manifest) ?? this.#conflict(id) ?? this.#taken(manifest)
  }

  readonly #countsBarrier = (kind: ConstraintKind, module: string) => this.#counts({ kind, module })

  #memory(manifest: Manifest): Explanation | undefined {
    if (manifest.resources.ram === 0 && manifest.resources.vram === 0) return undefined
    const { ram, vram } = this.#demand(manifest)
    const { capacity } = this.#state
    if (vram > 0 && vram > capacity.vram - this.#vram) return this.#blame(manifest, ['vram'], capacity.vram)
    if (capacity.unified) {
      if (ram + vram > 0 && ram + vram > capacity.ram - this.#ram - this.#vram)
        return this.#blame(manifest, ['ram', 'vram'], capacity.ram)
    } else if (ram > 0 && ram > capacity.ram - this.#ram) return this.#blame(manifest, ['ram'], capacity.ram)
    return undefined
  }

  /** Enough holders of a memory that the module does not fit beside them, the earliest first. */
  #blame(manifest: Manifest, kinds: readonly ('ram' | 'vram')[], free: number): Explanation {
    const why = new Explanation()
    let sum = 0
    const add = (holder: Manifest, member?: Member) => {
      const demand = this.#demand(holder)
      for (const kind of kinds) {
        if (demand[kind] === 0) continue
        why.add({ kind, module: holder.id })
        if (member) why.because(member)
        sum += demand[kind]
      }
    }
    add(manifest)
    for (const member of this.#members) {
      if (sum > free) break
      add(member.manifest, member)
    }
    return why
  }

  #conflict(id: string): Explanation | undefined {
    const others = this.#state.catalogue.conflictsOf(id)
    if (others.size === 0) return undefined
    // In the order of their ids: the answer shall not depend on the order of registration.
    for (const other of [...others].sort()) {
      if (this.#state.loaded.has(other)) {
        const constraint: Constraint = { kind: 'conflict', module: id, other }
        if (this.#counts(constraint)) return new Explanation().add(constraint)
      }
      const member = this.#member(other)
      if (member === undefined) continue
      const constraint = between('conflict', id, other)
      if (this.#counts(constraint)) return new Explanation().add(constraint).because(member)
    }
    return undefined
  }

  #taken(manifest: Manifest): Explanation | undefined {
    const { provides } = manifest
    for (let i = 0; i < provides.length; i++) {
      const mine = provides[i]!
      const taken = this.#someLoaded ? this.#takenByLoaded(manifest.id, mine) : undefined
      if (taken) return taken
      const providers = this.#state.catalogue.providers(mine.capability)
      for (let k = 0; k < providers.length && providers.length > 1; k++) {
        const { manifest: other, index, provision } = providers[k]!
        const member = this.#known[index]
        if (provision === undefined || member === undefined || member.loaded) continue
        if (mine.cardinality === 'shared' && provision.cardinality === 'shared') continue
        const constraint = between('capability', manifest.id, other.id, mine.capability)
        if (this.#counts(constraint)) return new Explanation().add(constraint).because(member)
      }
    }
    return undefined
  }

  #takenByLoaded(id: string, { capability, cardinality }: Provision): Explanation | undefined {
    for (const { manifest: other, provision } of this.#state.catalogue.providers(capability)) {
      if (other.id === id || !this.#state.loaded.has(other.id)) continue
      // A module offers its own id without listing it; then it keeps nobody away.
      const theirs = provision ?? other.provides.find((listed) => listed.capability === capability)
      if (theirs === undefined) continue
      if (cardinality === 'shared' && theirs.cardinality === 'shared') continue
      const constraint: Constraint = { kind: 'capability', module: id, other: other.id, what: capability }
      if (this.#counts(constraint)) return new Explanation().add(constraint)
    }
    return undefined
  }

  /** Memory that a module cannot do without, as far as it counts; bytes. */
  #demand(manifest: Manifest): { ram: number; vram: number } {
    const { id, resources } = manifest
    const vram = requiredVram(manifest)
    return {
      ram: resources.ram > 0 && this.#counts({ kind: 'ram', module: id }) ? resources.ram : 0,
      vram: vram > 0 && this.#counts({ kind: 'vram', module: id }) ? vram : 0,
    }
  }

  #take(manifest: Manifest, sign: 1 | -1): void {
    const { ram, vram } = manifest.resources
    if (ram === 0 && vram === 0) return
    const demand = this.#demand(manifest)
    this.#ram += sign * demand.ram
    this.#vram += sign * demand.vram
  }

  /** All providers of a requirement but its owner, best first. */
  #candidates(owner: Member, requirement: Requirement): readonly Provider[] {
    const { catalogue } = this.#state
    const { capability } = requirement
    const all = catalogue.providers(capability)
    if (all.length === 1) return all[0]!.index !== owner.index && catalogue.satisfies(all[0]!.version, requirement) ? all : []
    const fitting = all.filter(({ index, version }) => index !== owner.index && catalogue.satisfies(version, requirement))
    return byPreference(fitting, capability, this.#state)
  }

  /** The members and loaded modules that meet a requirement, best first; undefined where it does not count. */
  #present(owner: Member, index: number): Member[] | undefined {
    const requirement = owner.manifest.requires[index]!
    if (this.#only && !this.#counts({ kind: 'requires', module: owner.manifest.id, what: requirement.text })) return undefined
    const found: Member[] = []
    for (const provider of this.#candidates(owner, requirement)) {
      const member = this.#find(provider)
      if (member && this.#serves(member)) found.push(member)
    }
    return found
  }

  /** Why a need must be met, and by none of the modules that are kept apart. */
  #need(owner: Member, index: number): Explanation {
    const requirement = owner.manifest.requires[index]!
    const why = new Explanation().add({ kind: 'requires', module: owner.manifest.id, what: requirement.text }).because(owner)
    for (const provider of this.#candidates(owner, requirement)) {
      const member = this.#find(provider)
      if (member?.loaded && !this.#serves(member)) why.add({ kind: 'apart', module: provider.manifest.id })
    }
    return why
  }

  // Some members wait for each other in a circle. Another provider of one of them can open it, nothing else can.
  #open(stuck: ReadonlySet<Member>): Explanation | undefined {
    const first = this.#members.find((member) => stuck.has(member))!
    const base = new Explanation().because(first)
    const circle = new Set([first])
    const options = new Set<Provider>()
    for (const member of circle) {
      const index = member.manifest.requires.findIndex((_, i) => this.#present(member, i)?.every((other) => stuck.has(other)))
      const requirement = member.manifest.requires[index]!
      base.add({ kind: 'requires', module: member.manifest.id, what: requirement.text })
      for (const provider of this.#candidates(member, requirement)) {
        const other = this.#find(provider)
        if (other === undefined) options.add(provider)
        else if (other.loaded) base.add({ kind: 'apart', module: provider.manifest.id })
        else circle.add(other)
      }
    }
    return this.#advance({
      owner: undefined,
      requirement: -1,
      options: this.#goal.strict ? [] : [...options],
      next: 0,
      met: false,
      base,
      failed: undefined,
      members: this.#members.length,
      at: this.#at,
    })
  }

  #find({ manifest, index }: Provider): Member | undefined {
    const known = this.#known[index]
    if (known || !this.#someLoaded || !this.#state.loaded.has(manifest.id)) return known
    const member: Member = { manifest, index, loaded: true, position: -1, via: undefined, bound: [] }
    this.#known[index] = member
    return member
  }

  #member(id: string): Member | undefined {
    const entry = this.#state.catalogue.entry(id)
    const member = entry && this.#known[entry.index]
    return member?.loaded ? undefined : member
  }

  #serves({ loaded, manifest }: Member): boolean {
    return !loaded || !this.#apart?.has(manifest.id) || !this.#counts({ kind: 'apart', module: manifest.id })
  }

  #counts(constraint: Constraint): boolean {
    return this.#only === undefined || this.#only.has(keyOf(constraint))
  }
}

function copyOf(explanation: Explanation): Explanation {
  return new Explanation().merge(explanation)
}
