import type { ModuleErrorCode } from '../errors.js'
import type { Manifest } from '../manifest/manifest.js'
import { didYouMean } from '../names.js'
import { toMB } from '../units.js'
import { barriers, requiredVram } from './admission.js'
import { type BarrierKind, type Constraint, keyOf } from './constraint.js'
import type { Conflict, Goal, ResolverState } from './resolver.js'
import { Search } from './search.js'

// From what a failed search leaves behind to a cause that a person can read: first no constraint too many, then a sentence.

/** Steps that making a cause small may take. Beyond, it is still a cause, with more in it than needed. */
const budgetSteps = 100_000

/**
 * A subset of the constraints that no plan meets either, while some plan meets all of it but any one: each constraint is
 * left out in turn, and stays out when there is still no plan. (Deletion filter: Chinneck & Dravnieks 1991.)
 */
export function minimal(because: readonly Constraint[], goal: Goal, state: ResolverState): readonly Constraint[] {
  const budget = { steps: budgetSteps }
  let left = because
  for (const constraint of because) {
    if (!left.includes(constraint)) continue
    const rest = left.filter((other) => other !== constraint)
    const result = new Search(goal, state, budget, new Set(rest.map(keyOf))).solve()
    if (result === undefined) break
    // What the smaller search did not need is gone with it.
    if (!result.found) {
      const used = new Set(result.because.map(keyOf))
      left = rest.filter((other) => used.has(keyOf(other)))
    }
  }
  return inTellingOrder(left, goal, state)
}

/** Goals, then needs as the manifests have them, then what is in their way. */
function inTellingOrder(because: readonly Constraint[], goal: Goal, { catalogue }: ResolverState): readonly Constraint[] {
  const rank = ({ kind, module, what }: Constraint): readonly [number, number] => {
    if (kind === 'goal') return [0, goal.load.indexOf(module)]
    if (kind === 'requires') return [1, catalogue.get(module)?.requires.findIndex(({ text }) => text === what) ?? 0]
    return [2, 0]
  }
  const ranked = because.map((constraint) => ({ constraint, rank: rank(constraint), key: keyOf(constraint) }))
  ranked.sort((a, b) => a.rank[0] - b.rank[0] || a.rank[1] - b.rank[1] || (a.key < b.key ? -1 : 1))
  return ranked.map(({ constraint }) => constraint)
}

/** The end of a line of reasoning. */
interface Leaf {
  readonly code: ModuleErrorCode
  /** The module it is about, and the requirement that leads to it (undefined: it was asked for). */
  readonly module: string
  readonly place: Place
  readonly reason: string
  readonly modules: readonly string[]
}

/** A module on the way down from a goal. */
interface Place {
  readonly id: string
  readonly parent: Place | undefined
  /** The requirement of the parent it may meet. */
  readonly need: string | undefined
  /** Whether it must be there: no other module on the way could do instead. */
  readonly definite: boolean
}

export function refusalOf(
  because: readonly Constraint[],
  goal: Goal,
  state: ResolverState,
): Omit<Conflict, 'ok' | 'because' | 'alternatives'> {
  const { clauses, leaves, cycles } = new Story(because, goal, state).tell()
  const leaf = leaves[0]
  if (leaf === undefined) {
    const cycle = cycles[0] ?? []
    const reason = `Circular dependency: ${[...cycle, cycle[0]].join(' -> ')}. Remove one of these requirements, or make it optional.`
    return { code: 'CYCLE', module: cycle[0] ?? '', reason, chain: cycle, modules: cycle }
  }
  const { code, place } = leaf
  const chain = chainTo(place)
  const need = place.need
  if (need === undefined) {
    const reason =
      clauses.length === 0 && leaves.length === 1
        ? leaf.reason
        : `Module '${place.id}' cannot be loaded: ${told(clauses, leaves, cycles)}`
    return { code, module: leaf.module, reason, chain, modules: leaf.modules }
  }
  const owner = place.parent!.id
  const modules = [...new Set(leaves.flatMap((one) => (one.code === 'NO_PROVIDER' ? one.modules : [one.module])))]
  if (code === 'REQUIREMENT_MISSING') return { code, module: owner, reason: leaf.reason, chain, modules: leaf.modules }
  const how = code === 'NO_PROVIDER' && leaves.length === 1 ? 'not registered' : 'cannot be loaded'
  const reason = `Required module '${need}' ${how}: ${told(clauses, leaves, cycles)}`
  return { code, module: owner, reason, chain, modules }
}

/** Long chains keep their two ends. */
function told(clauses: readonly string[], leaves: readonly Leaf[], cycles: readonly (readonly string[])[]): string {
  const short = clauses.length <= 8 ? clauses : [...clauses.slice(0, 3), '…', ...clauses.slice(-3)]
  const circles = cycles.map((cycle) => `circular dependency ${[...cycle, cycle[0]].join(' -> ')}`)
  const reasons = leaves.map(({ code, module, reason }) => (code === 'NO_PROVIDER' ? reason : `${module}: ${reason}`))
  const all = [...short, ...circles, ...reasons].map((part) => part.replace(/\.$/, ''))
  return `${all.join('; ')}.`
}

function chainTo(place: Place): string[] {
  const chain = [place.need ?? place.id]
  for (let at = place.need === undefined ? undefined : place.parent; at; at = at.parent) chain.unshift(at.id)
  return chain
}

/** Walks the constraints from the goals down. */
class Story {
  readonly #because: readonly Constraint[]
  readonly #goal: Goal
  readonly #state: ResolverState
  readonly #about = new Map<string, Constraint[]>()
  readonly #seen = new Map<string, Place>()
  readonly #clauses: string[] = []
  readonly #leaves: Leaf[] = []
  readonly #cycles: string[][] = []

  constructor(because: readonly Constraint[], goal: Goal, state: ResolverState) {
    this.#because = because
    this.#goal = goal
    this.#state = state
    for (const constraint of because) {
      for (const id of new Set([constraint.module, constraint.other])) {
        if (id === undefined) continue
        const list = this.#about.get(id)
        if (list) list.push(constraint)
        else this.#about.set(id, [constraint])
      }
    }
  }

  tell(): { clauses: readonly string[]; leaves: readonly Leaf[]; cycles: readonly string[][] } {
    const goals = this.#because.filter(({ kind }) => kind === 'goal')
    const open: Place[] = goals.map(({ module: id }) => ({ id, parent: undefined, need: undefined, definite: true })).reverse()
    for (let place = open.pop(); place; place = open.pop()) {
      if (this.#seen.has(place.id)) this.#meetAgain(place)
      else open.push(...this.#visit(place).reverse())
    }
    if (this.#leaves.length === 0) this.#blameMemory()
    return { clauses: this.#clauses, leaves: this.#leaves, cycles: this.#cycles }
  }

  /** What is against a module, and the modules it needs. */
  #visit(place: Place): Place[] {
    const { id } = place
    this.#seen.set(id, place)
    const manifest = this.#state.catalogue.get(id)
    if (manifest === undefined) {
      const what = `Module '${id}' not registered${didYouMean(id, sortedIds(this.#state))}`
      this.#end(place, 'NOT_REGISTERED', `${sentence(what)} Run 'enigma modules ls' to see what there is.`)
      return []
    }
    const below: Place[] = []
    for (const constraint of this.#about.get(id) ?? []) {
      if (constraint.kind === 'requires') below.push(...this.#need(place, manifest, constraint.what!))
      else this.#against(place, manifest, constraint)
    }
    return below
  }

  #need(place: Place, manifest: Manifest, text: string): Place[] {
    const { catalogue, loaded } = this.#state
    const { id } = manifest
    const requirement = manifest.requires.find((one) => one.text === text)!
    const offered = catalogue.providers(requirement.capability).filter((provider) => provider.manifest.id !== id)
    const fitting = offered.filter(({ version }) => catalogue.satisfies(version, requirement))
    const below = (other: string): Place => ({
      id: other,
      parent: place,
      need: text,
      definite: place.definite && fitting.length === 1,
    })
    if (this.#goal.strict) {
      const fix = 'Load it first, or leave out { strict: true } to load it along.'
      const missing = below(requirement.capability)
      this.#end(missing, 'REQUIREMENT_MISSING', `Required module '${text}' not loaded. ${fix}`, [requirement.capability])
      return []
    }
    if (fitting.length > 0) {
      this.#clauses.push(`'${id}' needs '${text}'`)
      for (const { manifest: other } of fitting) {
        if (!loaded.has(other.id)) continue
        const why = `Module '${other.id}' depends on what is being replaced.`
        this.#end(below(other.id), 'CYCLE', why, [other.id])
      }
      return fitting.filter(({ manifest: other }) => !loaded.has(other.id)).map(({ manifest: other }) => below(other.id))
    }
    const versions = offered.map((provider) => `${provider.manifest.id} offers ${provider.version}`).join(', ')
    const why = versions || `nothing provides it${didYouMean(requirement.capability, sortedIds(this.#state))}`
    const reason = `${sentence(`'${id}' needs '${text}', and ${why}`)} Add a module that provides it.`
    this.#end(
      below(requirement.capability),
      'NO_PROVIDER',
      reason,
      offered.map((provider) => provider.manifest.id),
    )
    return []
  }

  #against(place: Place, manifest: Manifest, { kind, module, what, other }: Constraint): void {
    if (kind === 'goal' || kind === 'requires' || kind === 'apart' || kind === 'dependent') return
    if (kind === 'ram' || kind === 'vram') {
      this.#memory(place, manifest, kind, false)
      return
    }
    if (kind !== 'conflict' && kind !== 'capability') {
      const { code, reason } = barriers[kind satisfies BarrierKind]
      this.#end(place, code, reason(manifest, this.#state))
      return
    }
    const rival = module === place.id ? other! : module
    const loaded = this.#state.loaded.has(rival)
    // Of two that are both to be loaded, the second is told of.
    if (!loaded && !this.#seen.has(rival)) return
    if (kind === 'conflict') {
      const reason = loaded
        ? `Module conflicts with loaded module '${rival}'. Unload '${rival}' first.`
        : `Module conflicts with module '${rival}', which is needed too.`
      this.#end(place, 'CONFLICT', reason, [rival])
      return
    }
    const fix = loaded ? 'Unload it first.' : 'Only one of them can be loaded.'
    this.#end(place, 'CAPABILITY_TAKEN', `Capability '${what}' already provided by '${rival}'. ${fix}`, [rival])
  }

  /** `always`: tell it although no single line of reasoning exceeds the memory. */
  #memory(place: Place, manifest: Manifest, kind: 'ram' | 'vram', always: boolean): void {
    const { capacity } = this.#state
    const pool = capacity.unified === true
    const wanted = kind === 'ram' ? manifest.resources.ram : requiredVram(manifest)
    const own = pool && kind === 'ram' && this.#says('vram', place.id) ? requiredVram(manifest) : 0
    let free = (pool ? capacity.ram : capacity[kind]) - own
    const holders: string[] = []
    for (const { id } of this.#beside(place, kind, pool, always)) {
      const held = this.#held(id, kind, pool)
      holders.push(`'${id}' (${toMB(held)}MB)`)
      free -= held
    }
    free = Math.max(0, free)
    if (wanted <= free && !always) return
    const name = kind.toUpperCase()
    const others = holders.length === 0 ? '' : ` beside ${holders.join(', ')}`
    const fix = `Unload a module that holds ${name}, or take a smaller model.`
    const reason = `Module requires ${toMB(wanted)}MB ${name}, only ${toMB(free)}MB available${others}. ${fix}`
    this.#end(place, kind === 'ram' ? 'NO_RAM' : 'NO_VRAM', reason)
  }

  /** Modules that hold memory beside one: those that must be there; with `every`, of those that could do alike the smallest. */
  #beside(place: Place, kind: 'ram' | 'vram', pool: boolean, every: boolean): Place[] {
    const found = new Map<string, Place>()
    for (const one of this.#seen.values()) {
      if (one.id === place.id || this.#held(one.id, kind, pool) === 0) continue
      const sure = one.definite || isAbove(one, place)
      if (!sure && !every) continue
      const key = sure ? one.id : `${one.parent?.id} ${one.need}`
      const other = found.get(key)
      if (!other || this.#held(one.id, kind, pool) < this.#held(other.id, kind, pool)) found.set(key, one)
    }
    return [...found.values()]
  }

  #held(id: string, kind: 'ram' | 'vram', pool: boolean): number {
    const manifest = this.#state.catalogue.get(id)!
    const ram = (pool || kind === 'ram') && this.#says('ram', id) ? manifest.resources.ram : 0
    const vram = (pool || kind === 'vram') && this.#says('vram', id) ? requiredVram(manifest) : 0
    return ram + vram
  }

  #says(kind: 'ram' | 'vram', id: string): boolean {
    return this.#about.get(id)?.some((constraint) => constraint.kind === kind) === true
  }

  #blameMemory(): void {
    for (const { kind, module } of this.#because.toReversed()) {
      const place = this.#seen.get(module)
      if ((kind !== 'ram' && kind !== 'vram') || !place) continue
      this.#memory(place, this.#state.catalogue.get(module)!, kind, true)
      return
    }
  }

  #meetAgain(place: Place): void {
    const cycle: string[] = []
    for (let at = place.parent; at; at = at.parent) {
      cycle.unshift(at.id)
      if (at.id === place.id) break
    }
    if (cycle[0] !== place.id) return
    const smallest = cycle.indexOf([...cycle].sort()[0]!)
    this.#cycles.push([...cycle.slice(smallest), ...cycle.slice(0, smallest)])
  }

  #end(place: Place, code: ModuleErrorCode, reason: string, modules: readonly string[] = []): void {
    this.#leaves.push({ code, module: place.id, place, reason, modules })
  }
}

function sentence(text: string): string {
  return text.endsWith('?') ? text : `${text}.`
}

// So that the nearest of two does not depend on the order of registration.
function sortedIds({ catalogue }: ResolverState): string[] {
  return [...catalogue.ids()].sort()
}

function isAbove(one: Place, place: Place): boolean {
  for (let at = place.parent; at; at = at.parent) if (at === one) return true
  return false
}
