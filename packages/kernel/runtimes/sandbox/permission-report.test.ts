import { expect, test } from 'vitest'
import { manifest } from '../../testing/build.js'
import { permissionReport } from './permission-report.js'
import type { Platform } from './platform.js'

const node20: Platform = { os: 'linux', nodePermission: '--experimental-permission', nodeNetwork: false, bubblewrap: undefined }
const bubblewrap: Platform = { ...node20, bubblewrap: '/usr/bin/bwrap' }
const node25: Platform = { ...node20, nodePermission: '--permission', nodeNetwork: true }

const unenforced = (given: Parameters<typeof permissionReport>[0], platform: Platform) =>
  permissionReport(given, platform)
    .filter(({ enforcedBy }) => enforcedBy === undefined)
    .map(({ permission }) => permission)

test('Node 20 denies files and programs, and says that it cannot deny the network', () => {
  const lines = permissionReport(manifest('a', { runtime: 'process', entry: './a.mjs', resources: { ram: '64MB' } }), node20)
  expect(lines.map(({ text }) => text)).toEqual([
    'reads its own folder and the packages beside it; no other files, and writes none: enforced by Node, by checks that are experimental in this version',
    'has no network: NOT enforced, as this Node cannot deny it and bubblewrap is not there or does not work here',
    'starts no programs and loads no native code: enforced by Node, by checks that are experimental in this version',
    'cannot see or end your other programs: NOT enforced, as it runs as you and bubblewrap is not there or does not work here',
    'takes at most about 64 MB of memory: enforced by the operating system',
    'sees no environment variables of yours: enforced by an environment of its own (PATH, HOME, LANG, TMPDIR, TZ)',
  ])
})

test('a newer Node denies the network too, bubblewrap the rest', () => {
  const one = manifest('a', { runtime: 'process', entry: './a.js', resources: { ram: '64MB' } })
  expect(unenforced(one, node25)).toEqual(['processes'])
  expect(unenforced(one, bubblewrap)).toEqual([])
})

test('another language is held to nothing without bubblewrap, and the report says so', () => {
  const one = manifest('a', { runtime: 'process', entry: './main.py' })
  expect(unenforced(one, node20)).toEqual(['files', 'network', 'programs', 'processes', 'memory', 'environment'])
  expect(unenforced(one, bubblewrap)).toEqual(['programs', 'memory'])
})

test('what is granted is named; hosts cannot be told apart', () => {
  const one = manifest('a', {
    runtime: 'process',
    entry: './a.js',
    permissions: { fs: ['$DATA', '/models:ro'], net: ['example.com'], child: true },
  })
  const [files, network, programs] = permissionReport(one, bubblewrap)
  expect(files).toMatchObject({ granted: true, enforcedBy: 'bubblewrap' })
  expect(files!.text).toContain('$DATA, /models:ro')
  expect(network!.text).toMatch(/^reaches example\.com: NOT enforced, .* it may reach any$/)
  expect(programs!.granted).toBe(true)
  // A program it starts is not bound by what Node denies.
  expect(unenforced(one, node20)).toContain('files')
})

test('inside the program nothing is enforced, in WebAssembly everything is', () => {
  expect(unenforced(manifest('a'), bubblewrap)).toEqual(['files', 'network', 'programs'])
  expect(unenforced(manifest('a', { runtime: 'worker' }), bubblewrap)).toEqual(['files', 'network', 'programs'])
  expect(unenforced(manifest('a', { runtime: 'wasm' }), node20)).toEqual([])
  expect(unenforced(manifest('a', { runtime: 'remote', entry: 'http://localhost:1' }), node20)).toEqual(['network'])
})

test('a program that may read the variables of other programs is not said to be kept from them', () => {
  const python = manifest('a', { runtime: 'process', entry: './a.py' })
  expect(unenforced(python, node20)).toContain('environment')
  expect(unenforced(python, bubblewrap)).not.toContain('environment')
  expect(unenforced(manifest('a', { runtime: 'process', entry: './a.js' }), node20)).not.toContain('environment')
})
