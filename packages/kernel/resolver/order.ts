import type { Manifest } from '../manifest/manifest.js'
import type { Catalogue } from './catalogue.js'
import type { Member } from './explanation.js'

// Binds each requirement of the chosen modules to one provider and puts the modules in an order in which every
// provider comes first.

/** A module of the plan with the provider of each of its requirements, in their order. */
export interface Bound {
  readonly member: Member
  readonly providers: readonly Member[]
}

type Binding =
  | { readonly ok: true; readonly order: readonly Bound[] }
  /** Members of which none can come first. */
  | { readonly ok: false; readonly stuck: ReadonlySet<Member> }

/** The members and loaded modules that meet a requirement, best first; undefined where it does not count. */
type Present = (owner: Member, index: number) => readonly Member[] | undefined

/** Members that nothing is bound to at the end, and that were not asked for, are left out. */
export function bindMembers(members: readonly Member[], present: Present): Binding {
  const bound: Bound[] = []
  for (const member of members) bound[member.index] = { member, providers: preferred(member, present) }
  const goals = members.filter(({ via }) => via === undefined)
  const sorted = topological(
    goals.map(({ index }) => bound[index]!),
    (one) => inPlan(one, bound),
  )
  if (sorted.ok) return sorted
  // With several providers of a shared capability the preferred bindings may be circular while others are not.
  const placed = place(members, present)
  if (placed.size < members.length) return { ok: false, stuck: new Set(members.filter((member) => !placed.has(member))) }
  for (const [member, position] of placed) {
    const before = (other: Member) => other.loaded || placed.get(other)! < position
    const providers = member.manifest.requires.map((_, index) => present(member, index)?.find(before))
    bound[member.index] = { member, providers: providers.filter((provider) => provider !== undefined) }
  }
  const needed = new Set(goals.map(({ index }) => bound[index]!))
  for (const one of needed) for (const other of inPlan(one, bound)) needed.add(other)
  return { ok: true, order: [...placed.keys()].map(({ index }) => bound[index]!).filter((one) => needed.has(one)) }
}

function preferred(member: Member, present: Present): readonly Member[] {
  const providers: Member[] = []
  const count = member.manifest.requires.length
  for (let index = 0; index < count; index++) {
    const provider = member.bound[index] ?? present(member, index)?.[0]
    if (provider) providers.push(provider)
  }
  return providers
}

function inPlan({ providers }: Bound, bound: readonly Bound[]): Bound[] {
  const found: Bound[] = []
  for (const provider of providers) if (!provider.loaded) found.push(bound[provider.index]!)
  return found
}

// A member can be placed once each of its requirements has a provider placed before it. Placing one never hinders
// another, so that members left at the end can be placed by no binding.
function place(members: readonly Member[], present: Present): Map<Member, number> {
  const users = new Map<Member, { user: Member; index: number }[]>()
  const open = new Map<Member, Set<number>>()
  const placed = new Map<Member, number>()
  for (const user of members) {
    const waiting = new Set<number>()
    for (let index = 0; index < user.manifest.requires.length; index++) {
      const providers = present(user, index)
      if (providers === undefined || providers.some(({ loaded }) => loaded)) continue
      waiting.add(index)
      for (const provider of providers) {
        const list = users.get(provider)
        if (list) list.push({ user, index })
        else users.set(provider, [{ user, index }])
      }
    }
    open.set(user, waiting)
    if (waiting.size === 0) placed.set(user, placed.size)
  }
  for (const [provider] of placed) {
    for (const { user, index } of users.get(provider) ?? []) {
      const waiting = open.get(user)!
      if (waiting.delete(index) && waiting.size === 0) placed.set(user, placed.size)
    }
  }
  return placed
}

/** Moves modules behind those they only like to follow, as far as that closes no circle. */
export function withWishes(
  order: readonly Bound[],
  catalogue: Catalogue,
): readonly { bound: Bound; follows: readonly Bound[] }[] {
  const byIndex: Bound[] = []
  for (const one of order) byIndex[one.member.index] = one
  const hard = new Map(order.map((one) => [one, inPlan(one, byIndex)]))
  const wishes = new Map<Bound, Bound[]>()
  for (const one of order) {
    const { manifest } = one.member
    if (manifest.optional.length === 0 && manifest.after.length === 0) continue
    const found = new Set<Bound>()
    for (const index of softIndexes(manifest, catalogue)) {
      const other = byIndex[index]
      if (other && other !== one) found.add(other)
    }
    if (found.size > 0) wishes.set(one, [...found])
  }
  if (wishes.size === 0) return order.map((bound) => ({ bound, follows: hard.get(bound)! }))
  const before = new Map(hard)
  for (const [one, others] of wishes) before.set(one, [...new Set([...hard.get(one)!, ...others])])
  let sorted = topological(order, (one) => before.get(one)!)
  if (!sorted.ok) {
    for (const one of wishes.keys()) before.set(one, hard.get(one)!)
    for (const [one, others] of wishes) {
      for (const other of others) {
        if (!reaches(other, one, before)) before.set(one, [...new Set([...before.get(one)!, other])])
      }
    }
    sorted = topological(order, (one) => before.get(one)!)
  }
  return (sorted.ok ? sorted.order : order).map((bound) => ({ bound, follows: before.get(bound)! }))
}

function reaches(from: Bound, to: Bound, before: ReadonlyMap<Bound, readonly Bound[]>): boolean {
  const seen = new Set([from])
  for (const one of seen) {
    if (one === to) return true
    for (const other of before.get(one)!) seen.add(other)
  }
  return false
}

/** Ids that a module follows when they are there: providers of its optional needs, and what it names under `after`. */
export function softNeeds(manifest: Manifest, { catalogue }: { readonly catalogue: Catalogue }): string[] {
  return softProviders(manifest, catalogue).map((provider) => provider.manifest.id)
}

function softIndexes(manifest: Manifest, catalogue: Catalogue): number[] {
  return softProviders(manifest, catalogue).map(({ index }) => index)
}

function softProviders({ optional, after }: Manifest, catalogue: Catalogue) {
  if (optional.length === 0 && after.length === 0) return []
  const wished = optional.flatMap((requirement) =>
    catalogue.providers(requirement.capability).filter(({ version }) => catalogue.satisfies(version, requirement)),
  )
  return [...wished, ...after.flatMap((name) => catalogue.providers(name))]
}

type Sorted<T> =
  | { readonly ok: true; readonly order: T[] }
  /** The members of one circle in order. */
  | { readonly ok: false; readonly cycle: T[] }

/** Depth-first order, what comes first first; without recursion, as a chain may be thousands long. */
export function topological<T>(roots: Iterable<T>, before: (node: T) => readonly T[]): Sorted<T> {
  const order: T[] = []
  const state = new Map<T, 'open' | 'done'>()
  for (const root of roots) {
    if (state.has(root)) continue
    const path: { node: T; edges: readonly T[]; next: number }[] = [{ node: root, edges: before(root), next: 0 }]
    state.set(root, 'open')
    while (path.length > 0) {
      const top = path[path.length - 1]!
      const next = top.edges[top.next++]
      if (next === undefined) {
        state.set(top.node, 'done')
        order.push(top.node)
        path.pop()
        continue
      }
      const seen = state.get(next)
      if (seen === 'open')
        return { ok: false, cycle: path.slice(path.findIndex(({ node }) => node === next)).map(({ node }) => node) }
      if (seen === 'done') continue
      state.set(next, 'open')
      path.push({ node: next, edges: before(next), next: 0 })
    }
  }
  return { ok: true, order }
}

/** The same circle, begun at its smallest id, so that it has one name. */
export function canonicalCycle(cycle: readonly string[]): string[] {
  const smallest = cycle.indexOf([...cycle].sort()[0]!)
  return [...cycle.slice(smallest), ...cycle.slice(0, smallest)]
}
