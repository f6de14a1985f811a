import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type ComparableSet, diffOfSets } from './diff-of-sets.js'

const none = new Map<string, string>()
const one = (id: string, active = true, config = {}, version = '1.0.0') => ({ id, active, config, version })

test('the difference says what to load, unload, start, stop, configure, disable and enable', () => {
  const current: ComparableSet = {
    modules: [one('a'), one('b'), one('c', true, { size: 1, key: 'x' }), one('d', false)],
    disabled: ['e'],
  }
  const saved: ComparableSet = {
    modules: [one('a'), one('b', false), one('c', true, { size: 2, key: 'x' }), one('f'), one('g', false), one('d')],
    disabled: ['h'],
  }
  const diff = diffOfSets(current, saved, new Map([['f', '2.0.0']]))
  expect(diff).toEqual({
    load: ['f', 'g'],
    unload: [],
    start: ['f', 'd'],
    stop: ['b'],
    disable: ['h'],
    enable: ['e'],
    reconfigure: [{ id: 'c', keys: ['size'] }],
    versionChanges: [{ id: 'f', saved: '1.0.0', installed: '2.0.0' }],
    text: [
      '+ e (enabled)',
      '< b',
      '~ f (saved 1.0.0, installed 2.0.0)',
      '~ c (config: size)',
      '+ f',
      '+ g',
      '> f',
      '> d',
      '- h (disabled)',
    ].join('\n'),
  })
})

test('doing what the difference says gives the saved set, and then nothing is left to do', () => {
  const name: fc.Arbitrary<string> = fc.constantFrom('a', 'b', 'c', 'd', 'e')
  const set = fc
    .record({
      modules: fc.uniqueArray(
        fc.record({ id: name, active: fc.boolean(), config: fc.dictionary(name, fc.integer(), { maxKeys: 2 }) }),
        {
          selector: ({ id }) => id,
        },
      ),
      off: fc.uniqueArray(name),
    })
    .map(({ modules, off }) => ({ modules, disabled: off.filter((id) => !modules.some((module) => module.id === id)) }))
  fc.assert(
    fc.property(set, set, (current, saved) => {
      const diff = diffOfSets(current, saved, none)
      const up = new Map(current.modules.map((module) => [module.id, { ...module }]))
      const off = new Set(current.disabled)
      const target = new Map(saved.modules.map((module) => [module.id, module]))
      for (const id of diff.enable) expect(off.delete(id)).toBe(true)
      for (const id of diff.unload) expect(up.delete(id)).toBe(true)
      for (const id of diff.load) {
        expect(up.has(id)).toBe(false)
        up.set(id, { ...target.get(id)!, active: false })
      }
      for (const { id } of diff.reconfigure) up.get(id)!.config = target.get(id)!.config
      for (const id of diff.stop) up.get(id)!.active = false
      for (const id of diff.start) up.get(id)!.active = true
      for (const id of diff.disable) off.add(id)
      const result = { modules: [...up.values()], disabled: [...off] }
      expect(new Map(result.modules.map((module) => [module.id, module]))).toEqual(target)
      expect(new Set(result.disabled)).toEqual(new Set(saved.disabled))
      expect(diffOfSets(result, saved, none).text).toBe('')
    }),
  )
})
