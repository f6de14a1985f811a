import { expect, test } from 'vitest'
import type { Manifest } from '../manifest/manifest.js'
import { gigabyte, manifest, stateOf } from '../testing/build.js'
import { plan } from './resolver.js'
import { type Dependent, planSwap } from './swap.js'

const local = manifest('local', { provides: ['images'], resources: { ram: '6GB' } })
const api = manifest('api', { provides: ['images'], requires: ['net'] })
const net = manifest('net')
const user = manifest('user', { requires: ['images@^1'] })
const all = [local, api, net, user]

const bound = (manifest: Manifest, ...requirements: number[]): Dependent => ({ manifest, requirements })

function swap(modules: readonly Manifest[], dependents: readonly Dependent[], rest: Parameters<typeof stateOf>[1] = {}) {
  const up = ['local', ...dependents.map(({ manifest: { id } }) => id)]
  return planSwap({ from: 'local', to: 'api' }, stateOf(modules, { up, ...rest }), dependents)
}

function reason(result: ReturnType<typeof swap>): string {
  if (result.ok) throw new Error(`planned ${result.steps.map((step) => step.manifest.id).join(', ')}`)
  return result.reason
}

test('modules left out free their capabilities and memory, and are not in the plan', () => {
  const big = manifest('big', { provides: ['images'], resources: { ram: '7GB' } })
  const state = stateOf([local, big], { up: ['local'], capacity: { ram: 2 * gigabyte, vram: 0, gpu: false } })
  expect(plan({ load: ['big'] }, state).ok).toBe(false)
  expect(plan({ load: ['big'], without: ['local'] }, state).ok).toBe(true)
  expect(plan({ load: ['big'], without: ['local'] }, { ...state, held: () => ({ ram: gigabyte, vram: 0 }) }).ok).toBe(false)
  const needy = manifest('needy', { requires: ['local'] })
  expect(plan({ load: ['needy'], without: ['local'] }, stateOf([local, needy], { up: ['local'] })).ok).toBe(false)
})

test('a swap loads what the new module needs; the dependents stay', () => {
  const result = swap(all, [bound(user, 0)])
  expect(result.ok && result.steps.map((step) => step.manifest.id)).toEqual(['net', 'api'])
  expect(result.ok && result.together).toBe(true)
})

test('a swap to a module that is loaded already needs no steps', () => {
  const shared = (id: string) => manifest(id, { provides: [{ capability: 'images', cardinality: 'shared' }] })
  const result = planSwap({ from: 'local', to: 'api' }, stateOf([shared('local'), shared('api')], { up: ['local', 'api'] }), [])
  expect(result).toEqual({ ok: true, steps: [], together: true })
})

test('the old one must go first when both do not fit, or do not stand each other', () => {
  const big = manifest('api', { provides: ['images'], resources: { ram: '5GB' } })
  const capacity = { ram: 2 * gigabyte, vram: 0, gpu: false }
  const tight = swap([local, big, user], [bound(user, 0)], { capacity })
  expect(tight.ok && tight.together).toBe(false)
  const hostile = swap([local, manifest('api', { provides: ['images'], conflicts: ['local'] })], [])
  expect(hostile.ok && hostile.together).toBe(false)
})

test('a dependent that asks for the old module by its id is named', () => {
  const fan = manifest('fan', { requires: ['local'] })
  expect(reason(swap([...all, fan], [bound(user, 0), bound(fan, 0)]))).toBe(
    "Module 'api' cannot take the place of 'local': 'fan' needs 'local', and it asks for that module by its id. Unload 'fan' first.",
  )
})

test('each requirement bound to the old module must be met, in its version, by the new one', () => {
  const both = manifest('local', { provides: ['images', { capability: 'video', version: '2.1.0' }] })
  const viewer = manifest('viewer', { requires: ['images', 'video@^2'] })
  expect(reason(swap([both, api, net, viewer], [bound(viewer, 0, 1)]))).toContain("'viewer' needs 'video@^2', and 'api' does not")
  const old = manifest('api', { provides: ['images', { capability: 'video', version: '1.9.0' }] })
  expect(reason(swap([both, old, viewer], [bound(viewer, 0, 1)]))).toContain("'viewer' needs 'video@^2', and 'api' offers 1.9.0")
  // What is bound to another module is not the business of this swap.
  expect(swap([both, api, net, viewer], [bound(viewer, 0)]).ok).toBe(true)
})

test('the new side may need neither the old module nor one that is bound to it', () => {
  const needsOld = manifest('api', { provides: ['images'], requires: ['local'] })
  expect(reason(swap([local, needsOld, user], [bound(user, 0)]))).toContain("'api' needs 'local'")
  const needsUser = manifest('api', { provides: ['images'], requires: ['user'] })
  expect(reason(swap([local, needsUser, user], [bound(user, 0)]))).toContain("'api' needs 'user'")
  // Through another module, and through one that is only indirectly bound to the old one.
  const far = manifest('far', { requires: ['user'] })
  const middle = manifest('middle', { requires: ['far'] })
  const needsFar = manifest('api', { provides: ['images'], requires: ['middle'] })
  expect(swap([local, needsFar, middle, far, user], [bound(user, 0), bound(far)]).ok).toBe(false)
  // A second provider that is free of the old one does.
  const tools = (id: string, requires: string[] = []) =>
    manifest(id, { requires, provides: [{ capability: 'tools', cardinality: 'shared' }] })
  const needsTools = manifest('api', { provides: ['images'], requires: ['tools'] })
  const result = swap([local, needsTools, tools('a', ['images']), tools('b')], [bound(tools('a', ['images']), 0)])
  expect(result.ok && result.steps.map(({ manifest: { id }, bindings }) => [id, bindings])).toEqual([
    ['b', []],
    ['api', ['b']],
  ])
})

test('a module cannot take its own place, nor that of one it depends on', () => {
  const state = stateOf(all, { up: ['local', 'user'] })
  expect(planSwap({ from: 'local', to: 'local' }, state, []).ok).toBe(false)
  expect(planSwap({ from: 'local', to: 'user' }, state, [bound(user, 0)])).toMatchObject({ ok: false, code: 'CYCLE' })
})

test('an unknown module is refused with a suggestion', () => {
  const result = planSwap({ from: 'local', to: 'apo' }, stateOf(all, { up: ['local'] }), [])
  expect(reason(result)).toMatch(/^Module 'apo' not registered; did you mean 'api'\?/)
})
