import { mkdirSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { manifest, temporaryFolder } from '../../testing/build.js'
import { grantedPaths } from './granted-paths.js'
import { nodeOptions } from './node-options.js'
import type { Platform } from './platform.js'

const platform: Platform = { os: 'linux', nodePermission: '--experimental-permission', nodeNetwork: false, bubblewrap: undefined }
const one = (permissions: { fs?: string[]; child?: boolean } = {}, resources = {}) =>
  manifest('a', { runtime: 'process', entry: './a.mjs', permissions, resources })

const made: { remove(): void }[] = []
afterEach(() => {
  for (const folder of made.splice(0)) folder.remove()
})
function folder(): string {
  const temporary = temporaryFolder({ 'mod/a.mjs': '' })
  made.push(temporary)
  return join(temporary.path, 'mod')
}

const options = (module: ReturnType<typeof one>, at: string, given = platform) =>
  nodeOptions(module, at, grantedPaths(module.permissions.fs, { module: at, data: join(at, '../data') }, '/home/u'), given)

test('a module reads its folder and writes nowhere', () => {
  const at = folder()
  const flags = options(one(), at)
  expect(flags).toContain(`--allow-fs-read=${at}`)
  expect(flags.filter((flag) => flag.startsWith('--allow-fs-write'))).toEqual([])
  expect(flags).not.toContain('--allow-child-process')
  expect(options(one({ child: true }), at)).toContain('--allow-child-process')
})

test('granted paths are readable, and writable unless they end in :ro', () => {
  const at = folder()
  const flags = options(one({ fs: ['$DATA', '/models:ro', '~/notes', 'cache'] }), at)
  const write = flags.filter((flag) => flag.startsWith('--allow-fs-write='))
  expect(write).toEqual([join(at, '../data'), '/home/u/notes', join(at, 'cache')].map((path) => `--allow-fs-write=${path}`))
  expect(flags).toContain('--allow-fs-read=/models')
  // Below the module's own folder: readable already, and Node 20 would forget the folder.
  expect(flags).not.toContain(`--allow-fs-read=${join(at, 'cache')}`)
})

test('two folders of which one name begins with the other are refused, as Node would forget one', () => {
  const at = folder()
  mkdirSync(`${at}-data`)
  expect(() => options(one({ fs: [`${at}-data`] }), at)).toThrow('one name begins with the other')
  expect(options(one({ fs: [`${at}-data`] }), at, { ...platform, bubblewrap: '/usr/bin/bwrap' })).toContain('--allow-fs-read=*')
})

test('resources.ram is the limit of the heap', () => {
  expect(options(one({}, { ram: '256MB' }), folder())).toContain('--max-old-space-size=256')
})

test('what a package calls its dependencies grants nothing beside packages', () => {
  const at = folder()
  const { path: secret, remove } = temporaryFolder({ 'key.txt': 'secret' })
  made.push({ remove })
  mkdirSync(join(at, 'node_modules'))
  const way = relative(join(at, 'node_modules'), secret)
  writeFileSync(join(at, 'package.json'), JSON.stringify({ dependencies: { [way]: '1.0.0', '..': '1', '.': '1' } }))
  expect(options(one(), at).filter((flag) => flag.includes(secret))).toEqual([])
})
