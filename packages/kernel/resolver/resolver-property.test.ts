import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Manifest } from '../manifest/manifest.js'
import { gigabyte, manifest, stateOf } from '../testing/build.js'
import { plan, type ResolverState } from './resolver.js'

// The resolver against brute force: over all subsets of small random graphs, there is a plan exactly when some subset is
// admissible and can be ordered.

const runs = process.env.ENIGMA_SOAK ? 8000 : 400

const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
const capabilities = ['x', 'y', 'z']

const moduleOf = (id: string) =>
  fc
    .record({
      requires: fc.uniqueArray(fc.constantFrom(...ids.filter((other) => other !== id), ...capabilities, 'x@^2', 'y@^1'), {
        maxLength: 2,
      }),
      provides: fc.uniqueArray(
        fc.record({
          capability: fc.constantFrom(...capabilities),
          version: fc.constantFrom('1.0.0', '2.0.0'),
          cardinality: fc.constantFrom('exclusive' as const, 'shared' as const, 'shared' as const),
          priority: fc.integer({ min: 0, max: 3 }),
        }),
        { maxLength: 2, selector: ({ capability }) => capability },
      ),
      conflicts: fc.uniqueArray(fc.constantFrom(...ids.filter((other) => other !== id)), { maxLength: 1 }),
      ram: fc.integer({ min: 0, max: 4 }),
      cloud: fc.integer({ min: 0, max: 7 }).map((n) => n === 0),
      after: fc.uniqueArray(fc.constantFrom(...ids), { maxLength: 1 }),
    })
    .map(({ ram, ...rest }) => manifest(id, { ...rest, resources: { ram: `${ram}GB` } }))

const graphs = fc.integer({ min: 2, max: ids.length }).chain((n) => fc.tuple(...ids.slice(0, n).map(moduleOf)))

function meets(provider: Manifest, owner: Manifest, index: number, state: ResolverState): boolean {
  const requirement = owner.requires[index]!
  if (provider.id === owner.id) return false
  if (provider.id === requirement.capability) return state.catalogue.satisfies(provider.version, requirement)
  return provider.provides.some(
    (p) => p.capability === requirement.capability && state.catalogue.satisfies(p.version, requirement),
  )
}

/** Can these be loaded together, one after the other, each finding its requirements loaded? */
function admissible(chosen: readonly Manifest[], state: ResolverState): boolean {
  if (chosen.reduce((sum, { resources }) => sum + resources.ram, 0) > state.capacity.ram) return false
  if (chosen.some(({ cloud }) => cloud !== false)) return false
  for (const one of chosen) {
    for (const other of chosen) {
      if (one === other) continue
      if (one.conflicts.includes(other.id)) return false
      for (const mine of one.provides) {
        const theirs = other.provides.find(({ capability }) => capability === mine.capability)
        if (theirs && (mine.cardinality === 'exclusive' || theirs.cardinality === 'exclusive')) return false
      }
    }
  }
  const placed: Manifest[] = []
  for (let before = -1; before !== placed.length; ) {
    before = placed.length
    for (const one of chosen) {
      if (placed.includes(one)) continue
      if (one.requires.every((_, i) => placed.some((provider) => meets(provider, one, i, state)))) placed.push(one)
    }
  }
  return placed.length === chosen.length
}

function bruteForce(goal: string, all: readonly Manifest[], state: ResolverState): boolean {
  for (let bits = 0; bits < 1 << all.length; bits++) {
    const chosen = all.filter((_, i) => (bits >> i) & 1)
    if (chosen.some(({ id }) => id === goal) && admissible(chosen, state)) return true
  }
  return false
}

test('there is a plan exactly when brute force finds one, and each plan can be carried out', { timeout: 600_000 }, () => {
  let solvable = 0
  let refused = 0
  fc.assert(
    fc.property(graphs, (all) => {
      const state = stateOf(all, { capacity: { ram: 9 * gigabyte, vram: 0, gpu: false } })
      const result = plan({ load: ['a'] }, state)
      expect(result.ok, result.ok ? '' : result.reason).toBe(bruteForce('a', all, state))
      if (!result.ok) {
        refused++
        expect(result.reason.length).toBeGreaterThan(10)
        return
      }
      solvable++
      const members = result.steps.map((step) => step.manifest)
      expect(members.some(({ id }) => id === 'a')).toBe(true)
      expect(admissible(members, state)).toBe(true)
      result.steps.forEach((step, at) => {
        const earlier = members.slice(0, at).map(({ id }) => id)
        step.bindings.forEach((id, i) => {
          expect(earlier).toContain(id)
          expect(meets(state.catalogue.get(id)!, step.manifest, i, state)).toBe(true)
        })
        for (const id of step.after) expect(earlier).toContain(id)
      })
    }),
    { numRuns: runs },
  )
  expect(solvable).toBeGreaterThan(runs / 20)
  expect(refused).toBeGreaterThan(runs / 20)
})

test('the same question gets the same answer, in whatever order the modules were found', () => {
  fc.assert(
    fc.property(graphs, fc.integer(), (all, seed) => {
      const shuffled = [...all].sort((a, b) => ((a.id.charCodeAt(0) * seed) % 7) - ((b.id.charCodeAt(0) * seed) % 7))
      const ask = (manifests: readonly Manifest[]) => {
        const result = plan({ load: ['a'] }, stateOf(manifests))
        return result.ok ? result.steps.map(({ manifest: { id }, bindings }) => [id, bindings]) : result.reason.split(';')[0]
      }
      expect(ask(shuffled)).toEqual(ask(all))
    }),
    { numRuns: runs / 4 },
  )
})

test('loading one module after the other never makes a refusal out of an earlier plan of both', () => {
  fc.assert(
    fc.property(graphs, (all) => {
      const first = plan({ load: ['a', 'b'] }, stateOf(all))
      if (!first.ok) return
      const up = first.steps.map((step) => step.manifest.id)
      const again = plan({ load: ['a', 'b'] }, stateOf(all, { up }))
      expect(again.ok && again.steps).toEqual([])
    }),
    { numRuns: runs / 4 },
  )
})
