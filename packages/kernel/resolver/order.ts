import type { Manifest } from '../manifest/manifest.js'
import type { PlanStep, ResolverState } from './resolver.js'

// Binds each requirement of the chosen modules to one provider and puts the modules in an order in which every
// provider comes first.

interface Member {
  readonly manifest: Manifest
  readonly need: { readonly owner: Manifest; readonly requirement: { readonly text: string } } | undefined
}

type Ordered =
  | { readonly ok: true; readonly steps: readonly PlanStep[] }
  /** The members of one cycle in order; the first is the smallest id, so that a cycle has one name. */
  | { readonly ok: false; readonly cycle: readonly string[] }

export function bindAndOrder(members: readonly Member[], state: ResolverState, apart: ReadonlySet<string>): Ordered {
  const chosen = new Map(members.map((member) => [member.manifest.id, member]))
  const preferred = new Map(members.map(({ manifest }) => [manifest.id, preferredBindings(manifest, chosen, state, apart)]))
  const hard = topological(chosen.keys(), (id) => preferred.get(id)!.filter((provider) => chosen.has(provider)))
  if (hard.ok) return { ok: true, steps: withSoftEdges(hard.order, chosen, preferred, state) }
  const other = bindWithoutCycle(members, chosen, state, apart)
  if (other === undefined) return { ok: false, cycle: canonicalCycle(hard.cycle) }
  return { ok: true, steps: withSoftEdges(other.order, chosen, other.bindings, state) }
}

/** All providers of a requirement among the loaded and the chosen, best first. */
function candidates(
  manifest: Manifest,
  index: number,
  chosen: ReadonlyMap<string, Member>,
  state: ResolverState,
  apart: ReadonlySet<string>,
): string[] {
  const requirement = manifest.requires[index]!
  const found: string[] = []
  for (const provider of state.catalogue.providers(requirement.capability)) {
    const { id } = provider.manifest
    if (id === manifest.id || !state.catalogue.satisfies(provider.version, requirement)) continue
    if ((state.loaded.has(id) && !apart.has(id)) || chosen.has(id)) found.push(id)
  }
  if (found.length < 2) return found
  const wanted = state.prefer?.get(requirement.capability)
  const rank = (id: string) => (id === wanted ? 0 : state.loaded.has(id) ? 1 : 2)
  return found.sort((a, b) => rank(a) - rank(b))
}

function preferredBindings(
  manifest: Manifest,
  chosen: ReadonlyMap<string, Member>,
  state: ResolverState,
  apart: ReadonlySet<string>,
): string[] {
  return manifest.requires.map((_, index) => candidates(manifest, index, chosen, state, apart)[0]!)
}

// With several providers of a shared capability the preferred bindings may be cyclic while others are not. A module can
// be placed once each of its requirements has a provider already placed; placing is monotone, so trying until nothing
// moves finds an acyclic binding whenever there is one.
function bindWithoutCycle(
  members: readonly Member[],
  chosen: ReadonlyMap<string, Member>,
  state: ResolverState,
  apart: ReadonlySet<string>,
) {
  const bindings = new Map<string, string[]>()
  const order: string[] = []
  for (let moved = true; moved; ) {
    moved = false
    for (const { manifest } of members) {
      if (bindings.has(manifest.id)) continue
      const bound = manifest.requires.map((_, index) =>
        candidates(manifest, index, chosen, state, apart).find((id) => state.loaded.has(id) || bindings.has(id)),
      )
      if (!bound.every((id) => id !== undefined)) continue
      bindings.set(manifest.id, bound)
      order.push(manifest.id)
      moved = true
    }
  }
  return order.length === members.length ? { order, bindings } : undefined
}

// `optional` and `after` only order what is there. One that would close a cycle is dropped.
function withSoftEdges(
  order: readonly string[],
  chosen: ReadonlyMap<string, Member>,
  bindings: ReadonlyMap<string, readonly string[]>,
  state: ResolverState,
): PlanStep[] {
  const hardEdges = (id: string) => bindings.get(id)!.filter((provider) => chosen.has(provider))
  const softEdges = (id: string) =>
    softNeeds(chosen.get(id)!.manifest, state).filter((other) => other !== id && chosen.has(other))
  const full = topological(order, (id) => [...hardEdges(id), ...softEdges(id)])
  const final = full.ok ? full.order : order
  const position = new Map(final.map((id, i) => [id, i]))
  return final.map((id) => {
    const { manifest, need } = chosen.get(id)!
    const soft = softEdges(id).filter((other) => position.get(other)! < position.get(id)!)
    return {
      manifest,
      neededBy: need && { module: need.owner.id, requirement: need.requirement.text },
      bindings: bindings.get(id)!,
      after: soft.length === 0 ? hardEdges(id) : [...new Set([...hardEdges(id), ...soft])],
    }
  })
}

/** Ids that a module follows when they are there: providers of its optional needs, and what it names under `after`. */
export function softNeeds(manifest: Manifest, state: Pick<ResolverState, 'catalogue'>): string[] {
  if (manifest.optional.length === 0 && manifest.after.length === 0) return []
  const found: string[] = []
  for (const requirement of manifest.optional) {
    for (const provider of state.catalogue.providers(requirement.capability)) {
      if (state.catalogue.satisfies(provider.version, requirement)) found.push(provider.manifest.id)
    }
  }
  for (const name of manifest.after) for (const provider of state.catalogue.providers(name)) found.push(provider.manifest.id)
  return found
}

type Sorted = { readonly ok: true; readonly order: string[] } | { readonly ok: false; readonly cycle: string[] }

/** Depth-first order, what comes first first; without recursion, as a chain may be thousands long. */
export function topological(ids: Iterable<string>, before: (id: string) => readonly string[]): Sorted {
  const order: string[] = []
  const state = new Map<string, 'open' | 'done'>()
  for (const root of ids) {
    if (state.has(root)) continue
    const path: { id: string; edges: readonly string[]; next: number }[] = [{ id: root, edges: before(root), next: 0 }]
    state.set(root, 'open')
    while (path.length > 0) {
      const top = path[path.length - 1]!
      const next = top.edges[top.next++]
      if (next === undefined) {
        state.set(top.id, 'done')
        order.push(top.id)
        path.pop()
        continue
      }
      const seen = state.get(next)
      if (seen === 'open') return { ok: false, cycle: path.slice(path.findIndex(({ id }) => id === next)).map(({ id }) => id) }
      if (seen === 'done') continue
      state.set(next, 'open')
      path.push({ id: next, edges: before(next), next: 0 })
    }
  }
  return { ok: true, order }
}

/** The same cycle, begun at its smallest id. */
export function canonicalCycle(cycle: readonly string[]): string[] {
  const smallest = cycle.indexOf([...cycle].sort()[0]!)
  return [...cycle.slice(smallest), ...cycle.slice(0, smallest)]
}
