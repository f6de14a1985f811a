import fc from 'fast-check'
import semver from 'semver'
import { expect, test } from 'vitest'
import type { Manifest } from '../manifest/manifest.js'
import { gigabyte, manifest, stateOf } from '../testing/build.js'
import type { Constraint } from './constraint.js'
import { type Conflict, type Goal, type Plan, plan, type ResolverState } from './resolver.js'

// The resolver against brute force over all subsets of small random graphs: a plan is found exactly when there is one,
// it can be carried out, the answer does not depend on the order of registration, and the cause of a refusal is a cause
// (nothing meets it) without a constraint too many (something meets the rest). The brute force knows manifests and
// nothing of the resolver.

const runs = process.env.ENIGMA_SOAK ? 10_000 : 500

interface World {
  readonly modules: readonly Manifest[]
  readonly goal: Goal
  readonly up: readonly string[]
  readonly disabled: ReadonlySet<string>
  readonly localOnly: boolean
  readonly capacity: ResolverState['capacity']
  readonly prefer: ReadonlyMap<string, string>
  readonly lock: NonNullable<ResolverState['lock']> | undefined
}

const names = [...'abcdefghijkl']
const capabilities = ['x', 'y', 'z']
const ranges = ['', '', '', '', '', '', '', '', '@>=1', '@^1', '@^1', '@^2']
const versions = ['1.0.0', '1.5.0', '2.0.0']

/** Picks by weight, so that the rare cases are in every third graph and not in all of them. */
const often = <T>(usual: T, ...rare: readonly T[]) =>
  fc.oneof({ weight: 15, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(usual, ...rare) })

const requirements = (ids: readonly string[], min: number, max: number) =>
  fc
    .array(
      fc.oneof(
        { weight: 4, arbitrary: fc.tuple(fc.constantFrom(...capabilities), fc.constantFrom(...ranges)) },
        { weight: 1, arbitrary: fc.tuple(fc.constantFrom(...ids), fc.constantFrom('', '', '', '', '', '', '', '@^1')) },
      ),
      { minLength: min, maxLength: max },
    )
    .map((list) => [...new Map(list).entries()].map(([capability, range]) => capability + range))

const moduleOf = (id: string, ids: readonly string[], dice: number) => {
  const others = ids.filter((other) => other !== id)
  // Mostly downwards, or there would be little but cycles.
  const later = ids.filter((other) => other > id)
  return fc
    .record({
      version: fc.constantFrom(...versions),
      requires: requirements(later.length > 0 && dice > 0 ? later : others, id === 'a' ? 1 : 0, 3),
      optional: requirements(others, 0, 1),
      after: fc.array(fc.constantFrom(...ids, ...capabilities), { maxLength: 1 }),
      provides: fc.uniqueArray(
        fc.record({
          capability: fc.constantFrom(...capabilities),
          version: fc.constantFrom(...versions),
          cardinality: often<'exclusive' | 'shared'>('shared', 'exclusive', 'exclusive'),
          priority: fc.integer({ min: 49, max: 51 }),
        }),
        { minLength: 1, maxLength: 2, selector: ({ capability }) => capability },
      ),
      conflicts: often<string[]>([], ...others.map((other) => [other])),
      resources: fc.record({
        ram: fc.constantFrom(0, 0, 0, 0, 1, 2, 4).map((n) => n * gigabyte),
        vram: often(0, 1, 2, 4).map((n) => n * gigabyte),
        gpu: often<'none' | 'preferred' | 'required'>('none', 'preferred', 'required'),
      }),
      cloud: id === 'a' ? fc.constant(false) : often(false, true),
      api: id === 'a' ? fc.constant('1.0') : often('1.0', '2.0'),
    })
    .map((rest) => manifest(id, rest))
}

const subset = (ids: readonly string[], chance: number) =>
  fc
    .noBias(fc.array(fc.nat(99), { minLength: ids.length, maxLength: ids.length }))
    .map((dice) => ids.filter((_, i) => dice[i]! < chance))

const providersOf = (ids: readonly string[]) =>
  fc
    .dictionary(fc.constantFrom(...capabilities), fc.constantFrom(...ids), { maxKeys: 2 })
    .map((entries) => new Map(Object.entries(entries)))

const worlds: fc.Arbitrary<World> = fc.noBias(fc.integer({ min: 4, max: names.length })).chain((n) => {
  const ids = names.slice(0, n)
  return fc
    .record({
      modules: fc.tuple(...ids.map((id) => fc.nat(2).chain((dice) => moduleOf(id, ids, dice)))),
      load: fc.oneof(
        { weight: 30, arbitrary: fc.constant(['a']) },
        { weight: 10, arbitrary: fc.constant(['a', 'b']) },
        { weight: 1, arbitrary: fc.constant(['a', 'nobody']) },
      ),
      strict: often(false, true),
      up: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: subset(ids, 25) }),
      gone: fc.integer({ min: 0, max: 3 }),
      apart: subset(ids, 30),
      disabled: subset(ids, 5).map((list) => new Set(list)),
      localOnly: fc.boolean(),
      capacity: fc
        .record({
          ram: fc.constantFrom(4, 8, 12, 20).map((size) => size * gigabyte),
          vram: fc.constantFrom(0, 2, 4, 8).map((size) => size * gigabyte),
          gpu: fc.boolean(),
          unified: often(false, true),
        })
        // As the ledger has it: one pool, of which the GPU sees all.
        .map((one) => (one.unified ? { ...one, vram: one.gpu ? one.ram : 0 } : one)),
      prefer: providersOf(ids),
      lock: fc.option(fc.record({ bindings: providersOf(ids), versions: fc.constant(new Map([['c', '2.0.0']])) }), { freq: 3 }),
    })
    .map(({ load, strict, gone, apart, lock, ...rest }) => {
      const { up } = rest
      // Now and then a swap: one loaded module goes, some others are bound to it.
      const swap = gone === 0 && up.length > 0 ? { without: [up[0]!], apart: apart.filter((id) => up.slice(1).includes(id)) } : {}
      return { ...rest, goal: { load, strict, ...swap }, lock: lock ?? undefined }
    })
})

function ask(world: World, modules: readonly Manifest[] = world.modules): Plan | Conflict {
  const { goal, lock, ...rest } = world
  return plan(goal, stateOf(modules, { ...rest, ...(lock && { lock }) }))
}

// Brute force: constraints as data, by which a subset of the modules is judged.

function offers({ id, version, provides }: Manifest, capability: string): string | undefined {
  return id === capability ? version : provides.find((one) => one.capability === capability)?.version
}

/** Everything that must hold in a world, one fact each. */
function allConstraints({ modules, goal, up, disabled, localOnly, capacity }: World): Constraint[] {
  const left = up.filter((id) => !goal.without?.includes(id))
  const found: Constraint[] = []
  for (const module of goal.load) if (!left.includes(module)) found.push({ kind: 'goal', module })
  for (const id of goal.apart ?? []) found.push({ kind: 'apart', module: id })
  for (const one of modules) {
    const module = one.id
    if (left.includes(module)) continue
    const say = (kind: Constraint['kind'], more: object = {}) => found.push({ kind, module, ...more })
    for (const { text } of one.requires) say('requires', { what: text })
    if (goal.without?.includes(module)) say('leaving')
    if (disabled.has(module)) say('disabled')
    if (one.api !== '1.0') say('api')
    if (localOnly && one.cloud) say('cloud')
    if (one.resources.gpu === 'required' && !capacity.gpu) say('gpu')
    if (one.resources.ram > 0) say('ram')
    if (one.resources.vram > 0 && one.resources.gpu !== 'preferred') say('vram')
    for (const other of modules) {
      if (other === one) continue
      const loaded = left.includes(other.id)
      if (!loaded && other.id < module) continue
      if (one.conflicts.includes(other.id) || other.conflicts.includes(module)) say('conflict', { other: other.id })
      for (const { capability, cardinality } of one.provides) {
        const theirs = other.provides.find((provision) => provision.capability === capability)
        if (!theirs || (cardinality === 'shared' && theirs.cardinality === 'shared')) continue
        say('capability', { other: other.id, what: capability })
      }
    }
  }
  return found
}

/** All sets of modules to be loaded that meet the constraints, as bits; the first is enough. */
function solvable(world: World, constraints: readonly Constraint[]): boolean {
  const { modules, goal, up, capacity } = world
  const left = new Set(up.filter((id) => !goal.without?.includes(id)))
  const candidates = modules.filter(({ id }) => !left.has(id))
  const bit = new Map(candidates.map(({ id }, i) => [id, 1 << i]))
  const of = (kind: Constraint['kind']) => constraints.filter((constraint) => constraint.kind === kind)
  let must = 0
  for (const { module } of of('goal')) {
    const one = bit.get(module)
    if (one === undefined) return false
    must |= one
  }
  let never = 0
  for (const kind of ['leaving', 'disabled', 'api', 'cloud', 'gpu'] as const)
    for (const { module } of of(kind)) never |= bit.get(module)!
  const pairs: number[] = []
  for (const { module, other } of [...of('conflict'), ...of('capability')]) {
    if (left.has(other!)) never |= bit.get(module)!
    else pairs.push(bit.get(module)! | bit.get(other!)!)
  }
  const apart = new Set(of('apart').map(({ module }) => module))
  /** Per candidate, per requirement: who of the candidates would do. */
  const needs = candidates.map(() => [] as number[])
  for (const { module, what } of of('requires')) {
    const at = candidates.findIndex(({ id }) => id === module)
    const { capability, range } = candidates[at]!.requires.find(({ text }) => text === what)!
    const meets = (one: Manifest) => {
      const version = one.id === module ? undefined : offers(one, capability)
      return version !== undefined && (range === '*' || semver.satisfies(version, range, { includePrerelease: true }))
    }
    if (modules.some((one) => left.has(one.id) && !apart.has(one.id) && meets(one))) continue
    // Strict: only what is asked for may come.
    const asked = new Set(of('goal').map((one) => one.module))
    let mask = 0
    for (const one of candidates) if (meets(one) && (!goal.strict || asked.has(one.id))) mask |= bit.get(one.id)!
    needs[at]!.push(mask)
  }
  const ram = new Set(of('ram').map(({ module }) => module))
  const vram = new Set(of('vram').map(({ module }) => module))
  // What is replaced gives back what it held.
  const back = { ram: 0, vram: 0 }
  for (const { id, resources } of modules) {
    if (!up.includes(id) || left.has(id)) continue
    back.ram += resources.ram
    if (resources.gpu !== 'preferred') back.vram += resources.vram
  }
  const fits = (set: number) => {
    const sum = { ram: 0, vram: 0 }
    candidates.forEach(({ id, resources }, i) => {
      if (!(set & (1 << i))) return
      if (ram.has(id)) sum.ram += resources.ram
      if (vram.has(id)) sum.vram += resources.vram
    })
    if (!capacity.unified) return sum.ram <= capacity.ram + back.ram && sum.vram <= capacity.vram + back.vram
    return sum.ram + sum.vram <= capacity.ram + back.ram + back.vram && (capacity.gpu || sum.vram === 0)
  }
  // A set can be loaded when some member can be loaded last: the rest can be loaded, and meets its needs.
  const loadable = new Uint8Array(1 << candidates.length)
  for (let set = 0; set < loadable.length; set++) {
    if (set & never) continue
    let last = set === 0
    for (let i = 0; i < candidates.length && !last; i++) {
      const rest = set & ~(1 << i)
      last = rest !== set && loadable[rest] === 1 && needs[i]!.every((mask) => (mask & rest) !== 0)
    }
    if (!last) continue
    loadable[set] = 1
    if ((set & must) === must && pairs.every((pair) => (set & pair) !== pair) && fits(set)) return true
  }
  return false
}

function expectCarriedOut(world: World, { steps }: Plan): void {
  const { modules, goal, up } = world
  const left = up.filter((id) => !goal.without?.includes(id))
  const planned = steps.map(({ manifest: { id } }) => id)
  for (const id of goal.load) expect([...left, ...planned]).toContain(id)
  expect(new Set([...left, ...planned]).size).toBe(left.length + planned.length)
  // No subset other than the plan itself is looked at: it meets all constraints as it stands.
  const others = modules.filter(({ id }) => !planned.includes(id) && !left.includes(id)).map(({ id }) => id)
  const asItStands = [...allConstraints({ ...world, goal: { ...goal, load: planned, strict: false } })]
  expect(
    solvable({ ...world, goal: { ...goal, strict: false } }, [
      ...asItStands,
      ...others.map((module) => ({ kind: 'disabled' as const, module })),
    ]),
  ).toBe(true)
  steps.forEach(({ manifest: one, bindings, after }, at) => {
    const earlier = planned.slice(0, at)
    expect(bindings.length).toBe(one.requires.length)
    bindings.forEach((id, i) => {
      const { capability, range } = one.requires[i]!
      expect([...left.filter((other) => !goal.apart?.includes(other)), ...earlier]).toContain(id)
      const version = offers(modules.find((other) => other.id === id)!, capability)
      expect(version !== undefined && semver.satisfies(version, range, { includePrerelease: true })).toBe(true)
    })
    for (const id of after) expect(earlier).toContain(id)
    for (const id of bindings) if (planned.includes(id)) expect(after).toContain(id)
  })
  // Nobody is there for nothing: asked for, or bound to.
  const bound = new Set(steps.flatMap(({ bindings }) => bindings))
  for (const {
    manifest: { id },
    neededBy,
  } of steps) {
    if (goal.load.includes(id)) expect(neededBy).toBeUndefined()
    else {
      expect(bound).toContain(id)
      const user = steps.find((step) => step.manifest.id === neededBy!.module)!
      const index = user.manifest.requires.findIndex(({ text }) => text === neededBy!.requirement)
      expect(user.bindings[index]).toBe(id)
    }
  }
}

function expectMinimal(world: World, { because }: Conflict): void {
  const all = allConstraints(world)
  for (const constraint of because) expect(all).toContainEqual(constraint)
  expect(solvable(world, because)).toBe(false)
  for (const constraint of because) {
    const rest = because.filter((other) => other !== constraint)
    expect(solvable(world, rest), `without ${JSON.stringify(constraint)}`).toBe(true)
  }
}

test('there is a plan exactly when brute force finds one; a plan can be carried out, a refusal has a minimal cause', {
  timeout: 1_200_000,
}, () => {
  const seen = {
    solvable: 0,
    refused: 0,
    steps: 0,
    causes: new Map<string, number>(),
    codes: new Map<string, number>(),
    longest: 0,
  }
  fc.assert(
    fc.property(worlds, (world) => {
      const result = ask(world)
      expect(result.ok, result.ok ? '' : result.reason).toBe(solvable(world, allConstraints(world)))
      if (result.ok) {
        seen.solvable++
        seen.steps += result.steps.length
        expectCarriedOut(world, result)
        return
      }
      seen.refused++
      seen.codes.set(result.code, (seen.codes.get(result.code) ?? 0) + 1)
      for (const { kind } of result.because) seen.causes.set(kind, (seen.causes.get(kind) ?? 0) + 1)
      seen.longest = Math.max(seen.longest, result.because.length)
      expect(result.code).not.toBe('TOO_COMPLEX')
      expect(result.reason).toMatch(/^[A-Z].{20,}[.…]/)
      expectMinimal(world, result)
    }),
    { numRuns: runs },
  )
  if (process.env.ENIGMA_SOAK) console.log(seen)
  expect(seen.solvable).toBeGreaterThan(runs * 0.3)
  expect(seen.refused).toBeGreaterThan(runs * 0.3)
})

test('the same question gets the same answer, in whatever order the modules were registered', { timeout: 1_200_000 }, () => {
  fc.assert(
    fc.property(
      worlds.chain((world) =>
        fc.tuple(fc.constant(world), fc.shuffledSubarray([...world.modules], { minLength: world.modules.length })),
      ),
      ([world, shuffled]) => {
        const answer = (result: Plan | Conflict) =>
          result.ok
            ? result.steps.map(({ manifest: { id }, bindings, after, neededBy }) => ({ id, bindings, after, neededBy }))
            : result
        expect(answer(ask(world, shuffled))).toEqual(answer(ask(world)))
      },
    ),
    { numRuns: runs },
  )
})

test('once a plan is carried out, the same goal needs nothing more', { timeout: 1_200_000 }, () => {
  fc.assert(
    fc.property(worlds, (world) => {
      const first = ask(world)
      if (!first.ok) return
      const up = [...world.up.filter((id) => !world.goal.without?.includes(id)), ...first.steps.map((step) => step.manifest.id)]
      const again = ask({ ...world, goal: { load: world.goal.load }, up })
      expect(again.ok && again.steps).toEqual([])
    }),
    { numRuns: runs },
  )
})
