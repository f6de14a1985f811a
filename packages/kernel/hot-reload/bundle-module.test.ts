import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import type { ModuleDefinition } from '../define.js'
import { ModuleError } from '../errors.js'
import { token } from '../lifecycle/services.js'
import { manifest, temporaryFolder } from '../testing/build.js'
import { bundleModule } from './bundle-module.js'

const kernel = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const folders: { remove(): void }[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) folder.remove()
})

function moduleFolder(files: Readonly<Record<string, string>>): string {
  const folder = temporaryFolder({ 'package.json': '{"type":"module"}', ...files })
  folders.push(folder)
  mkdirSync(join(folder.path, 'node_modules/@enigma'), { recursive: true })
  symlinkSync(kernel, join(folder.path, 'node_modules/@enigma/kernel'))
  return folder.path
}

function bundled(folder: string, entry = './index.js'): Promise<ModuleDefinition<never>> {
  return bundleModule(manifest('sample', { entry }), folder, () => undefined)
}

/** What the module's load answers, called without a context. */
const loaded = async <T>(definition: ModuleDefinition<never>) => (await definition.load!(undefined as never)) as T

async function failure(files: Readonly<Record<string, string>>): Promise<ModuleError> {
  const error = await bundled(moduleFolder(files)).catch((cause: unknown) => cause)
  expect(error).toBeInstanceOf(ModuleError)
  return error as ModuleError
}

const api = (expression: string, head = '') => `${head}\nexport default { load: () => (${expression}) }\n`

describe('bundleModule', () => {
  it('evaluates the files as they are now, those it imports included', async () => {
    const folder = moduleFolder({
      'index.js': api('word', "import { word } from './word.js'"),
      'word.js': "export const word = 'old'",
    })
    expect(await loaded(await bundled(folder))).toBe('old')
    writeFileSync(join(folder, 'word.js'), "export const word = 'new'")
    expect(await loaded(await bundled(folder))).toBe('new')
  })

  it('gives packages as Node does: the loaded instance, default and named exports, builtins', async () => {
    const head = `
      import path, { join } from 'node:path'
      import old, { named } from 'old-package'
      import * as whole from 'new-package'
      import preset from 'new-package'
      import { token } from '@enigma/kernel'`
    const folder = moduleFolder({
      'index.js': api('{ same: path.join === join, old: old.named, named, whole: { ...whole }, preset, token }', head),
      'node_modules/old-package/index.js': 'exports.named = 1',
      'node_modules/new-package/package.json':
        '{"type":"module","exports":{"import":"./i.js","require":"./r.cjs"},"module":"./none.js"}',
      'node_modules/new-package/i.js': 'export default 5; export const x = 6',
      'node_modules/new-package/r.cjs': 'module.exports = "wrong"',
    })
    const given = await loaded<Record<string, unknown>>(await bundled(folder))
    expect(given).toMatchObject({ same: true, old: 1, named: 1, whole: { default: 5, x: 6 }, preset: 5 })
    expect(given.token).toBe(token)
  })

  it('takes the TypeScript beside a built entry, and names the built files in import.meta', async () => {
    const folder = moduleFolder({
      'index.ts': api('{ url: import.meta.url, lib, kind: Kind.b }', "import { lib } from './lib.js'\nenum Kind { a, b }"),
      'lib.ts': 'export const lib: string | undefined = import.meta.dirname',
      'dist/index.js': 'export default { load: () => "stale" }',
      'dist/lib.js': '',
    })
    expect(await loaded(await bundled(folder, './dist/index.js'))).toEqual({
      url: pathToFileURL(join(folder, 'dist/index.js')).href,
      lib: join(folder, 'dist'),
      kind: 1,
    })
  })

  it('imports at run time what is imported at run time', async () => {
    const code = `export default {
      async load() {
        const { x } = await import('./later.js')
        const absent = await import('not-there').catch(({ code }) => code)
        const { basename } = await import('node:path')
        return { x, absent, name: basename(import.meta.resolve('./x.js')) }
      },
    }`
    const folder = moduleFolder({ 'index.js': code, 'later.js': 'export const x = 1' })
    expect(await loaded(await bundled(folder))).toEqual({ x: 1, absent: 'ERR_MODULE_NOT_FOUND', name: 'x.js' })
  })

  it('puts the lines of the sources into stack traces', async () => {
    const folder = moduleFolder({
      'index.ts': `import { fail } from './fail.js'\nexport default { load: async () => fail(), start() { fail() } }\n`,
      'fail.ts': `// a comment\n\ninterface Gone {}\nexport function fail(): never {\n  throw new Error('no')\n}\n`,
    })
    const definition = await bundled(folder, './index.ts')
    const stacks = [
      await loaded(definition).catch((error: Error) => error.stack),
      await Promise.resolve(undefined)
        .then(() => definition.start!(undefined as never, undefined))
        .catch((error: Error) => error.stack),
    ]
    for (const stack of stacks) expect(stack).toContain(`${join(folder, 'fail.ts')}:5:`)
  })

  it('takes classes of the seed documents', async () => {
    const folder = moduleFolder({ 'index.js': 'export class Old { name = "old"; type = "service"; getService() { return 7 } }' })
    const definition = await bundled(folder)
    const context = { config: {}, provide: () => undefined }
    expect(await definition.load!(context as never)).toBe(7)
  })

  it('refuses top-level await with file and line', async () => {
    const error = await failure({ 'index.js': api('1', "import './wait.js'"), 'wait.js': '\n\nawait Promise.resolve()' })
    expect(error.code).toBe('BUNDLE_FAILED')
    expect(error.message).toContain('wait.js:3: top-level await is not possible here; move it into load(ctx)')
  })

  it.each([
    ['a syntax error', { 'index.js': 'export default {\n  load( }' }, 'BUNDLE_FAILED', 'index.js:2: '],
    [
      'a file that is not there',
      { 'index.js': "\nimport './gone.js'" },
      'BUNDLE_FAILED',
      'index.js:2: Could not resolve "./gone.js"',
    ],
    ['a package that is not there', { 'index.js': "import 'gone'" }, 'BUNDLE_FAILED', 'index.js:1: Could not resolve "gone"'],
    ['no entry', {}, 'ENTRY_MISSING', './index.js does not exist'],
    ['no default export', { 'index.js': 'export const x = 1' }, 'BAD_MODULE', 'no default export'],
    ['an unknown hook', { 'index.js': 'export default { lod() {} }' }, 'BAD_MODULE', 'no default export made by defineModule'],
  ])('refuses %s', async (_, files, code, text) => {
    const error = await failure(files)
    expect(error).toMatchObject({ code, message: expect.stringContaining(text) })
  })
})
