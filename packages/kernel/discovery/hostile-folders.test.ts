import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ManifestReader } from '../manifest/manifest-read.js'
import { openManager, temporaryFolder } from '../testing/build.js'
import { checkModules } from './check.js'
import { discover } from './discovery.js'
import { entryPath } from './entry.js'

// What may lie in a folder of modules: each thing is a module, no module, or a problem with file and line. Nothing stops the rest.

let folder: ReturnType<typeof temporaryFolder>
beforeEach(() => {
  folder = temporaryFolder({ 'fine/module.yaml': 'id: fine\nversion: 1.0.0', 'fine/dist/index.js': 'export default {}' })
})
afterEach(() => folder.remove())

const at = (...parts: string[]) => join(folder.path, ...parts)

async function found(): Promise<Record<string, string>> {
  const all = await discover([folder.path], new ManifestReader())
  return Object.fromEntries(
    all.map(({ id, result }) => [id, result.ok ? 'ok' : result.error.message.replaceAll(folder.path, '')]),
  )
}

test('a module.yaml that is no file is named, and the others are found', async () => {
  mkdirSync(at('folder/module.yaml'), { recursive: true })
  mkdirSync(at('loop'))
  symlinkSync('module.yaml', at('loop/module.yaml'))
  mkdirSync(at('broken'))
  symlinkSync('nowhere', at('broken/module.yaml'))
  mkdirSync(at('pipe'))
  execFileSync('mkfifo', [at('pipe/module.yaml')])
  mkdirSync(at('large'))
  writeFileSync(at('large/module.yaml'), '')
  truncateSync(at('large/module.yaml'), 10_000_000)
  expect(await found()).toEqual({
    fine: 'ok',
    folder: '/folder/module.yaml:1: it is a folder, not a file',
    loop: expect.stringMatching(/^\/loop\/module\.yaml:1: ELOOP/),
    broken: expect.stringMatching(/^\/broken\/module\.yaml:1: ENOENT/),
    pipe: '/pipe/module.yaml:1: it is no regular file',
    large: '/large/module.yaml:1: the file has 10000000 bytes; at most 262144 are read',
  })
})

test('links to folders are followed once; links in a circle are no modules', async () => {
  symlinkSync(at('fine'), at('same'))
  symlinkSync(at('round'), at('round'))
  symlinkSync(folder.path, at('up'))
  expect(await found()).toEqual({ fine: 'ok' })
})

test('duplicate ids are named with both folders and lines', async () => {
  mkdirSync(at('twin'))
  writeFileSync(at('twin/module.yaml'), '# a copy\nversion: 2.0.0\nid: fine')
  const [first, second] = await discover([folder.path], new ManifestReader())
  const sentence = `Module id 'fine' is in ${at('fine')} (module.yaml:1) and in ${at('twin')} (module.yaml:3). Rename or remove one.`
  for (const [entry, line] of [[first, 1] as const, [second, 3] as const]) {
    if (entry!.result.ok) throw new Error('it is a duplicate')
    expect(entry!.result.error).toMatchObject({ code: 'DUPLICATE_ID', message: sentence, file: entry!.file, line })
  }
})

test('an entry that a link leads out of the folder is refused, at check and at import', async () => {
  const outside = temporaryFolder({ 'x.js': 'export default {}' })
  mkdirSync(at('thief/dist/cli'), { recursive: true })
  writeFileSync(at('thief/module.yaml'), 'id: thief\nversion: 1.0.0\ncontributes:\n  commands:\n    - name: steal')
  symlinkSync(join(outside.path, 'x.js'), at('thief/dist/index.js'))
  symlinkSync(join(outside.path, 'x.js'), at('thief/dist/cli/steal.js'))
  const problems = await checkModules([folder.path])
  outside.remove()
  expect(problems.map(({ code, key, line }) => `${code} ${key} ${line}`)).toEqual([
    'PATH_ESCAPE entry 1',
    'PATH_ESCAPE contributes.commands.steal 5',
  ])
  expect(problems[0]!.message).toContain("A module's files must lie in its own folder")
  mkdirSync(at('thief/lib'))
  writeFileSync(at('thief/lib/inside.js'), '')
  symlinkSync('lib/inside.js', at('thief/alias.js'))
  expect(entryPath('thief', at('thief'), './alias.js')).toMatch(/inside\.js$/)
  expect(() => entryPath('thief', at('thief'), '.')).toThrow(expect.objectContaining({ code: 'PATH_ESCAPE' }))
})

test('a config schema that is none is found by check, with its line', async () => {
  mkdirSync(at('odd/dist'), { recursive: true })
  writeFileSync(at('odd/dist/index.js'), 'export default {}')
  writeFileSync(at('odd/module.yaml'), 'id: odd\nversion: 1.0.0\nconfig:\n  type: object\n  properties: { a: { type: intger } }')
  expect(await checkModules([folder.path])).toMatchObject([{ code: 'BAD_MANIFEST', key: 'config', line: 3 }])
})

test('npm packages are modules when they have the keyword and export module.yaml', async () => {
  const described = (more: object) => JSON.stringify({ name: 'x', version: '1.0.0', ...more })
  const yes = { keywords: ['enigma-module'], exports: { '.': './index.js', './module.yaml': './module.yaml' } }
  const packages: Record<string, string> = {
    yes: described(yes),
    '@scope/too': described(yes),
    'no-keyword': described({ ...yes, keywords: ['other'] }),
    'no-export': described({ ...yes, exports: './index.js' }),
    broken: '{ "keywords": ["enigma-module"]',
    'not-an-object': '"enigma-module"',
  }
  for (const [name, text] of Object.entries(packages)) {
    mkdirSync(at('node_modules', name), { recursive: true })
    writeFileSync(at('node_modules', name, 'package.json'), text)
    writeFileSync(at('node_modules', name, 'module.yaml'), `id: ${name.replace(/\W+/g, '')}\nversion: 1.0.0`)
  }
  mkdirSync(at('node_modules/.bin'))
  writeFileSync(at('node_modules/.package-lock.json'), '{}')
  expect(await found()).toEqual({ fine: 'ok', yes: 'ok', scopetoo: 'ok' })
  const direct = await discover([at('node_modules')], new ManifestReader())
  expect(direct.map(({ id }) => id)).toEqual(['scopetoo', 'yes'])
})

test('a manager refuses a module whose entry leaves its folder, with file and line', async () => {
  mkdirSync(at('out'))
  writeFileSync(at('out/module.yaml'), 'id: out\nversion: 1.0.0\nentry: ../fine/dist/index.js')
  await using manager = await openManager({ modules: [folder.path] })
  await expect(manager.load('out')).rejects.toMatchObject({ code: 'PATH_ESCAPE', file: at('out/module.yaml'), line: 3 })
  await manager.load('fine')
})

test('a folder that cannot be listed is a coded error', async () => {
  writeFileSync(at('file'), '')
  await expect(discover([at('file')], new ManifestReader())).rejects.toMatchObject({ code: 'NOT_REGISTERED' })
})
