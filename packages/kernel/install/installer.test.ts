import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openManager, temporaryFolder } from '../testing/build.js'
import { ModuleInstaller } from './installer.js'
import type { Fetch } from './npm.js'

let folder: ReturnType<typeof temporaryFolder>
let home = ''
beforeEach(() => {
  folder = temporaryFolder()
  home = join(folder.path, 'home', 'modules')
})
afterEach(() => folder.remove())

/** An npm package with a module, whose scripts and code leave a trace when they run. */
function packageWith(manifest: string, name = 'enigma-greeter', version = '1.0.0'): string {
  const path = join(folder.path, 'sources', name)
  const ran = join(folder.path, 'RAN')
  const files: Record<string, string> = {
    'package.json': JSON.stringify({
      name,
      version,
      type: 'module',
      keywords: ['enigma-module'],
      exports: { '.': './index.js', './module.yaml': './module.yaml' },
      scripts: Object.fromEntries(
        ['preinstall', 'install', 'postinstall', 'prepare', 'prepack'].map((key) => [key, `touch ${ran}`]),
      ),
      peerDependencies: { enigma: '*' },
    }),
    'module.yaml': `id: greeter\nversion: ${version}\nentry: ./index.js\n${manifest}`,
    'index.js': `import { writeFileSync } from 'node:fs'\nwriteFileSync(${JSON.stringify(ran)}, '')\nexport default { load: () => ({ hi: () => 'hi' }) }`,
  }
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, file)), { recursive: true })
    writeFileSync(join(path, file), text)
  }
  return path
}

/** What npm does with a folder, without npm. */
const copying: Fetch = async (spec, target) => {
  const { name } = JSON.parse(readFileSync(join(spec, 'package.json'), 'utf8')) as { name: string }
  await cp(spec, join(target, 'node_modules', name), { recursive: true, verbatimSymlinks: true })
  writeFileSync(join(target, 'package.json'), JSON.stringify({ dependencies: { [name]: `file:${spec}` } }))
}

const nothingRan = () => !existsSync(join(folder.path, 'RAN'))
const inHome = () => (existsSync(home) ? readdirSync(home).sort() : [])

test('a package made by npm pack is fetched by npm, read, installed on consent and removed; nothing of it runs', async () => {
  const source = packageWith('permissions: { net: [example.com], child: true }')
  execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder.path], { cwd: source })
  const installer = new ModuleInstaller(home)
  const lines: string[] = []
  await using staged = await installer.stage(join(folder.path, 'enigma-greeter-1.0.0.tgz'), {
    offline: true,
    onLine: (line) => lines.push(line),
  })
  expect(staged.manifest).toMatchObject({ id: 'greeter', version: '1.0.0', runtime: 'process' })
  expect(staged.growth).toEqual(['network example.com', 'starting programs'])
  expect(inHome().every((name) => name.startsWith('.staging-'))).toBe(true)

  const consent = await staged.install()
  expect(inHome()).toEqual(['consent.json', 'greeter'])
  expect(statSync(join(home, 'consent.json')).mode & 0o777).toBe(0o600)
  expect(consent).toMatchObject({ folder: 'node_modules/enigma-greeter', runtime: 'process', trusted: false })
  expect(Object.keys(consent.fingerprint.files)).toContain('node_modules/enigma-greeter/index.js')
  expect(await installer.list()).toEqual([consent])
  expect(nothingRan()).toBe(true)

  await installer.remove('greeter')
  expect(inHome()).toEqual(['consent.json'])
  await expect(installer.remove('greeter')).rejects.toThrow("No module 'greeter' was added; those that were: none.")
}, 60_000)

test('what npm cannot find is an error in its words, and leaves nothing', async () => {
  const installer = new ModuleInstaller(home)
  const failing = installer.stage('enigma-no-such-package@^1', { offline: true })
  await expect(failing).rejects.toMatchObject({ code: 'INSTALL_FAILED' })
  await expect(failing).rejects.toThrow(/npm could not install enigma-no-such-package@\^1: .*(ENOTCACHED|not found|cache)/i)
  expect(inHome()).toEqual([])
}, 60_000)

test('an installation that is stopped leaves nothing', async () => {
  const source = packageWith('')
  const stop = new AbortController()
  stop.abort()
  await expect(new ModuleInstaller(home).stage(source, { signal: stop.signal, offline: true })).rejects.toMatchObject({
    code: 'CANCELLED',
  })
  expect(inHome()).toEqual([])
}, 60_000)

test('a refusal leaves nothing', async () => {
  const staged = await new ModuleInstaller(home, copying).stage(packageWith(''))
  await staged[Symbol.asyncDispose]()
  expect(inHome()).toEqual([])
})

test('a folder that is no package is copied', async () => {
  const path = join(folder.path, 'plain')
  mkdirSync(path)
  writeFileSync(join(path, 'module.yaml'), 'id: plain\nversion: 1.0.0\nentry: ./index.mjs')
  writeFileSync(join(path, 'index.mjs'), 'export default {}')
  const staged = await new ModuleInstaller(home, copying).stage('./plain', { cwd: folder.path, trust: true })
  const consent = await staged.install()
  expect(consent).toMatchObject({ id: 'plain', folder: 'node_modules/module', runtime: 'inproc', trusted: true, source: path })
})

test('an update asks for what is new only, and the old one stays until the new one is in place', async () => {
  const installer = new ModuleInstaller(home, copying)
  await (await installer.stage(packageWith('permissions: { net: [a.example] }'))).install()
  expect(await installer.stageUpdate('greeter')).toMatchObject({ unchanged: true, growth: [] })
  expect(await installer.stageUpdate('greeter', { trust: true })).toMatchObject({ unchanged: false, growth: [] })
  writeFileSync(join(home, 'greeter', 'node_modules', 'enigma-greeter', 'index.js'), 'changed by hand')
  expect(await installer.stageUpdate('greeter')).toMatchObject({ unchanged: false, growth: [] })
  packageWith('permissions: { net: [a.example, b.example], fs: [./data] }', 'enigma-greeter', '1.1.0')
  const staged = await installer.stageUpdate('greeter')
  expect(staged).toMatchObject({ unchanged: false, growth: ['files ./data', 'network b.example'], before: { version: '1.0.0' } })
  expect((await installer.list())[0]!.version).toBe('1.0.0')
  await staged.install()
  expect((await installer.list())[0]!.version).toBe('1.1.0')
  expect(inHome().filter((name) => !name.startsWith('.staging-'))).toEqual(['consent.json', 'greeter'])
})

test('an update that has become another module is refused', async () => {
  const installer = new ModuleInstaller(home, copying)
  const source = packageWith('')
  await (await installer.stage(source)).install()
  writeFileSync(join(source, 'module.yaml'), 'id: other\nversion: 1.0.0\nentry: ./index.js')
  await expect(installer.stageUpdate('greeter')).rejects.toThrow("is now module 'other', not 'greeter'")
  expect(inHome()).toEqual(['consent.json', 'greeter'])
})

test.each<[string, (path: string) => void, string, RegExp]>([
  [
    'a broken manifest',
    (path) => writeFileSync(join(path, 'module.yaml'), 'id: greeter\nvershun: 1'),
    'BAD_MANIFEST',
    /^module\.yaml:1: missing key 'version'; add it; line 2: unknown key 'vershun'/,
  ],
  [
    'an entry outside',
    (path) => writeFileSync(join(path, 'module.yaml'), 'id: greeter\nversion: 1.0.0\nentry: ../x.js'),
    'PATH_ESCAPE',
    /:3: /,
  ],
  [
    'an entry that is not there',
    (path) => writeFileSync(join(path, 'module.yaml'), 'id: greeter\nversion: 1.0.0\nentry: ./x.js'),
    'ENTRY_MISSING',
    /x\.js/,
  ],
  ['no manifest', (path) => writeFileSync(join(path, 'module.yaml.bak'), ''), 'INSTALL_FAILED', /no module\.yaml/],
  ['a link that leads out', (path) => symlinkSync('/etc/hostname', join(path, 'way-out')), 'PATH_ESCAPE', /way-out/],
  ['the id of a module that is there', () => undefined, 'DUPLICATE_ID', /from the built-in modules/],
])('%s is refused before anybody is asked', async (what, damage, code, message) => {
  const source = packageWith('')
  damage(source)
  if (what === 'no manifest') execFileSync('rm', [join(source, 'module.yaml')])
  const taken = () => (what.startsWith('the id') ? 'the built-in modules' : undefined)
  const staging = new ModuleInstaller(home, copying).stage(source, { taken })
  await expect(staging).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  expect(inHome()).toEqual([])
  expect(nothingRan()).toBe(true)
})

test.each([
  'https://example.com/x.tgz',
  'git+ssh://git@example.com/x.git',
  'someone/repository',
  '--registry=http://evil.example',
  'name@npm:other',
  'name@file:../x',
  './nowhere',
  'nowhere.tgz',
  '',
])('%j is nothing that can be added', async (typed) => {
  await expect(new ModuleInstaller(home, copying).stage(typed)).rejects.toMatchObject({ code: 'INSTALL_FAILED' })
  expect(inHome()).toEqual([])
})

test('files that change between the question and the answer are not installed', async () => {
  const staged = await new ModuleInstaller(home, copying).stage(packageWith(''))
  const staging = inHome().find((name) => name.startsWith('.staging-'))!
  writeFileSync(join(home, staging, 'node_modules', 'enigma-greeter', 'index.js'), 'evil')
  await expect(staged.install()).rejects.toMatchObject({ code: 'INTEGRITY' })
  expect(inHome()).toEqual([])
})

test('what a killed process left is put right by the next', async () => {
  const installer = new ModuleInstaller(home, copying)
  await (await installer.stage(packageWith(''))).install()
  const { pid } = JSON.parse(
    execFileSync(process.execPath, ['-p', 'JSON.stringify({ pid: process.pid })'], { encoding: 'utf8' }),
  ) as {
    pid: number
  }
  // Killed between the two renames of an update: the old one lies aside, the new one is staged.
  execFileSync('mv', [join(home, 'greeter'), join(home, '.old-greeter')])
  mkdirSync(join(home, `.staging-${pid}-dead`))
  writeFileSync(join(home, '.lock'), String(pid))
  const other = join(folder.path, 'sources', 'other')
  mkdirSync(other, { recursive: true })
  writeFileSync(join(other, 'module.yaml'), 'id: other\nversion: 1.0.0\nentry: ./index.mjs')
  writeFileSync(join(other, 'index.mjs'), '')
  await (await installer.stage(other)).install()
  expect(inHome()).toEqual(['consent.json', 'greeter', 'other'])
  // Killed after them, before the consent was written: the old one comes back.
  execFileSync('cp', ['-r', join(home, 'greeter'), join(home, '.old-greeter')])
  writeFileSync(join(home, 'greeter', 'new.js'), '')
  await installer.remove('other')
  expect(inHome()).toEqual(['consent.json', 'greeter'])
  expect(existsSync(join(home, 'greeter', 'new.js'))).toBe(false)
})

test('one process at a time changes what is installed', async () => {
  const staged = await new ModuleInstaller(home, copying).stage(packageWith(''))
  writeFileSync(join(home, '.lock'), String(process.ppid))
  await expect(staged.install()).rejects.toThrow(`Process ${process.ppid} is changing the installed modules`)
})

test('an installed module is found, and refused when its files or its permissions are not those agreed to', async () => {
  const installer = new ModuleInstaller(home, copying)
  const { folder: inside } = await (
    await installer.stage(packageWith('permissions: { net: [a.example] }'), { trust: true })
  ).install()
  const open = () => openManager({ installed: home })
  await using fine = await open()
  expect(fine.getModule('greeter').info.runtime).toBe('inproc')
  await fine.load('greeter')
  expect(fine.getInterface<{ hi(): string }>('greeter').hi()).toBe('hi')

  const consents = readFileSync(join(home, 'consent.json'), 'utf8')
  writeFileSync(join(home, 'consent.json'), consents.replace('"a.example"', '"b.example"'))
  await using grown = await open()
  const growth = grown.load('greeter')
  await expect(growth).rejects.toMatchObject({ code: 'CONSENT_NEEDED' })
  await expect(growth).rejects.toThrow(
    'asks for more than was agreed to: network a.example. Agree with: enigma modules update greeter',
  )

  writeFileSync(join(home, 'consent.json'), consents)
  writeFileSync(join(home, 'greeter', inside, 'index.js'), 'globalThis.evil = true')
  await using changed = await open()
  const integrity = changed.load('greeter')
  await expect(integrity).rejects.toMatchObject({ code: 'INTEGRITY' })
  await expect(integrity).rejects.toThrow(`${inside}/index.js is changed`)
  expect('evil' in globalThis).toBe(false)
})

test('a module that nobody vouches for runs in a process of its own, and its commands do not run inside the program', async () => {
  const installer = new ModuleInstaller(home, copying)
  await (await installer.stage(packageWith('contributes: { commands: [ { name: go, entry: ./index.js } ] }'))).install()
  await using manager = await openManager({ installed: home })
  expect(manager.getModule('greeter').info.runtime).toBe('process')
  await expect(manager.runCommand('greeter', 'go')).rejects.toMatchObject({ code: 'CONSENT_NEEDED' })
  expect(nothingRan()).toBe(true)
})

test.each([
  ['not JSON', 1, 'it is no JSON'],
  ['{\n "modules": {\n  "x": 1 } }', 3, 'is no record of a module'],
  ['{\n "modules": {\n  "../x": {} } }', 3, 'is no record of a module'],
  ['{ "modules": { "x": { "source": "a", "version": "1", "at": "", "folder": "../../y" } } }', 1, 'the folder'],
])('a damaged record of consents is an error with its line: %j', async (text, line, why) => {
  mkdirSync(home, { recursive: true })
  writeFileSync(join(home, 'consent.json'), text)
  const opening = openManager({ installed: home })
  await expect(opening).rejects.toMatchObject({ code: 'BAD_CONSENTS', line, file: join(home, 'consent.json') })
  await expect(opening).rejects.toThrow(why)
})

test('a home that does not exist holds no modules', async () => {
  await using manager = await openManager({ installed: join(folder.path, basename(home), 'nowhere') })
  expect(manager.listModules()).toEqual([])
})

test.each([
  [
    'elsewhere',
    'runtime: remote\nentry: https://b.example/mcp',
    ['network https://b.example/mcp', "running as 'remote', not 'process'"],
  ],
  ['in another language', 'runtime: process\nentry: ./main.py', ['running a program that is not JavaScript']],
  ['out of the sandbox', 'runtime: wasm\nentry: ./a.wasm', ["running as 'wasm', not 'process'"]],
])('an update that runs %s is agreed to again, also with the same permissions', async (_, text, growth) => {
  const installer = new ModuleInstaller(home, copying)
  const source = packageWith('')
  await using first = await installer.stage(source)
  await first.install()
  writeFileSync(join(source, 'main.py'), '')
  writeFileSync(join(source, 'a.wasm'), '')
  writeFileSync(join(source, 'module.yaml'), `id: greeter\nversion: 1.1.0\n${text}\n`)
  await using staged = await installer.stageUpdate('greeter')
  expect(staged.growth).toEqual(growth)
})

test('a module that appears within an added one, in the place of its manifest, is not run', async () => {
  const installer = new ModuleInstaller(home, copying)
  await using staged = await installer.stage(packageWith(''))
  const { folder: inside } = await staged.install()
  const added = join(home, 'greeter', inside)
  const ran = join(folder.path, 'RAN')
  rmSync(join(added, 'module.yaml'))
  mkdirSync(join(added, 'other'))
  writeFileSync(
    join(added, 'other', 'module.yaml'),
    'id: other\nversion: 1.0.0\nentry: ./index.mjs\ncontributes: { commands: [{ name: go, entry: ./index.mjs }] }\n',
  )
  writeFileSync(
    join(added, 'other', 'index.mjs'),
    `import { writeFileSync } from 'node:fs'\nwriteFileSync(${JSON.stringify(ran)}, '')\nexport default {}`,
  )
  await using manager = await openManager({ installed: home })
  expect(manager.listModules().map(({ id }) => id)).toEqual(['other'])
  await expect(manager.load('other')).rejects.toMatchObject({ code: 'CONSENT_NEEDED' })
  await expect(manager.runCommand('other', 'go')).rejects.toMatchObject({ code: 'CONSENT_NEEDED' })
  expect(nothingRan()).toBe(true)
})
