import type { Manifest } from '../manifest/manifest.js'
import type { Catalogue } from './catalogue.js'
import type { Member } from './explanation.js'

// Binds each requirement of the chosen modules to one provider and puts the modules in an order in which every
// provider comes first.

/** A module of the plan with the provider of each of its requirements, in their order. */
export interface Bound {
  readonly member: Member
  readonly providers: readonly Member[]
  /** Those of the plan that come first. */
  readonly before: readonly Bound[]
}

type Binding =
  | { readonly ok: true; readonly order: readonly Bound[] }
  /** Members of which none can come first. */
  | { readonly ok: false; readonly stuck: ReadonlySet<Member> }

/** The members and loaded modules that meet a requirement, best first; undefined where it does not count. */
type Present = (owner: Member, index: number) => readonly Member[] | undefined

/** Members that nothing is bound to at the end, and that were not asked for, are left out. */
export function bindMembers(members: readonly Member[], present: Present): Binding {
  const bound = linked(members, (member, index) => member.bound[index] ?? present(member, index)?.[0])
  const sorted = topological(goalsOf(bound), beforeOf)
  if (sorted.ok) return sorted
  // With several providers of a shared capability the preferred bindings may be circular while others are not.
  const placed = place(members, present)
  if (placed.size < members.length) return { ok: false, stuck: new Set(members.filter((member) => !placed.has(member))) }
  const acyclic = linked(members, (member, index) =>
    present(member, index)?.find((other) => other.loaded || placed.get(other)! < placed.get(member)!),
  )
  const needed = new Set(goalsOf(acyclic))
  for (const one of needed) for (const other of one.before) needed.add(other)
  return { ok: true, order: [...placed.keys()].map(({ position }) => acyclic[position]!).filter((one) => needed.has(one)) }
}

/** Each member bound by `choose`; undefined is no requirement that counts. */
function linked(members: readonly Member[], choose: (member: Member, index: number) => Member | undefined): Bound[] {
  // Arrays are made in their size: one that grows takes room for seventeen.
  const bound = members.map((member) => {
    const count = member.manifest.requires.length
    const providers = new Array<Member>(count)
    let filled = 0
    for (let index = 0; index < count; index++) {
      const provider = choose(member, index)
      if (provider) providers[filled++] = provider
    }
    providers.length = filled
    return { member, providers, before: new Array<Bound>(filled) }
  })
  for (let i = 0; i < bound.length; i++) {
    const { providers, before } = bound[i]!
    let filled = 0
    for (let k = 0; k < providers.length; k++) if (!providers[k]!.loaded) before[filled++] = bound[providers[k]!.position]!
    before.length = filled
  }
  return bound
}

function goalsOf(bound: readonly Bound[]): Bound[] {
  return bound.filter(({ member }) => member.via === undefined)
}

function beforeOf({ before }: Bound): readonly Bound[] {
  return before
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
export function withWishes(order: readonly Bound[], catalogue: Catalogue): readonly Bound[] {
  const wishing = order.filter(({ member: { manifest } }) => manifest.optional.length > 0 || manifest.after.length > 0)
  if (wishing.length === 0) return order
  const byIndex = new Map(order.map((one) => [one.member.index, one]))
  const before = new Map(order.map((one) => [one, one.before]))
  const wishes = wishing.map((one) => {
    const found = softProviders(one.member.manifest, catalogue).map(({ index }) => byIndex.get(index))
    return { one, others: new Set(found.filter((other) => other !== undefined && other !== one)) as Set<Bound> }
  })
  for (const { one, others } of wishes) before.set(one, [...new Set([...one.before, ...others])])
  let sorted = topological(order, (one) => before.get(one)!)
  if (!sorted.ok) {
    // Some wish closes a circle: each that does is dropped.
    for (const { one } of wishes) before.set(one, one.before)
    for (const { one, others } of wishes) {
      for (const other of others) {
        if (!reaches(other, one, before)) before.set(one, [...new Set([...before.get(one)!, other])])
      }
    }
    sorted = topological(order, (one) => before.get(one)!)
  }
  return (sorted.ok ? sorted.order : order).map((one) => ({ ...one, before: before.get(one)! }))
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
