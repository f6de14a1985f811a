import { expect, test } from 'vitest'
import { ManifestReader } from '../manifest/manifest-read.js'
import { manifest } from '../testing/build.js'
import { migrateConfig } from './migrations.js'

const module = manifest('m', {
  configVersion: 4,
  migrations: [
    { to: 2, rename: { size: 'preset', url: 'net.host' } },
    { to: 3, remove: ['legacy', 'net.proxy'], defaults: { threads: 2, 'net.port': 80 } },
    { to: 4, rename: { 'net.host': 'host' } },
  ],
})

test('an older config goes through every step after its version', () => {
  const old = { size: 'tiny', url: 'localhost', legacy: true, threads: 8 }
  expect(migrateConfig(module, old, 1)).toEqual({ preset: 'tiny', host: 'localhost', threads: 8, net: { port: 80 } })
  expect(old).toEqual({ size: 'tiny', url: 'localhost', legacy: true, threads: 8 })
  expect(migrateConfig(module, { preset: 'tiny', net: { host: 'a', proxy: 'b' } }, 2)).toEqual({
    preset: 'tiny',
    host: 'a',
    threads: 2,
    net: { port: 80 },
  })
  const present = { preset: 'tiny' }
  expect(migrateConfig(module, present, 4)).toBe(present)
})

test('a config of a later version than the module knows is refused', () => {
  expect(() => migrateConfig(module, {}, 5)).toThrow(
    "The config of module 'm' is of version 5; the installed module knows versions up to 4. Update the module",
  )
})

test('names that look like parts of every object are keys like others', () => {
  const odd = manifest('m', {
    configVersion: 2,
    migrations: [{ to: 2, rename: { constructor: 'toString' }, remove: ['valueOf.x'] }],
  })
  expect(migrateConfig(odd, { plain: 1 }, 1)).toEqual({ plain: 1 })
})

test.each([
  ['configVersion: 2\nmigrations:\n  - { to: 3 }', "4: 'migrations' leads to version 3, but 'configVersion' is 2"],
  ['configVersion: 3\nmigrations:\n  - { to: 3 }\n  - { to: 2 }', "6: 'migrations' must be in ascending order"],
  ['configVersion: 2\nmigrations:\n  - to: 2\n    rename: { a: __proto__.x }', "6: '__proto__.x' is no name of a config key"],
  ['configVersion: 2\nmigrations:\n  - to: 2\n    remove: [a..b]', "6: 'a..b' is no name of a config key"],
  ['configVersion: 2\nmigrations: [ { to: 1 } ]', "4: 'migrations.0.to' must be at least 2"],
])('the steps in %j are refused', (text, expected) => {
  const result = new ManifestReader().read(`id: m\nversion: 1.0.0\n${text}`)
  expect(result.ok ? [] : result.problems.map(({ line, message }) => `${line}: ${message}`).join()).toContain(expected.slice(3))
})
