import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { ModuleManager } from 'enigma'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Place } from './enigma.test.fixture.js'

const root = fileURLToPath(new URL('../../..', import.meta.url))

let place: Place
beforeAll(async () => {
  place = await Place.make()
  await mkdir(place.path('node_modules'))
  await symlink(`${root}/packages/enigma`, place.path('node_modules/enigma'))
})
afterAll(() => place[Symbol.asyncDispose]())

/** `npm test` of a module: its end and what it printed. */
function npmTest(cwd: string): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn('npm', ['test', '--silent'], { cwd, env: place.environment })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text))
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, output }))
  })
}

const kinds = ['service', 'daemon', 'plugin']
const languages = ['js', 'ts']
const wishes = kinds.flatMap((kind) => languages.map((language) => ({ kind, language, id: `my-${kind}-${language}` })))

describe.each(wishes)('modules new $id', ({ kind, language, id }) => {
  it('writes a module that passes its tests, is checked, loads and runs its command', async () => {
    const made = await place.json<{ folder: string; files: string[] }>(['modules', 'new', id, '--kind', kind, '--language', language])
    expect(made).toMatchObject({ folder: place.path(id), files: expect.arrayContaining(['module.yaml', `index.${language}`]) })

    const { code, output } = await npmTest(made.folder)
    expect(code, output).toBe(0)
    expect(output).toMatch(/^# pass [23]$/m)
    expect(output).toMatch(/^# skipped 0$/m)

    expect(await place.run(['modules', 'check', made.folder])).toMatchObject({ code: 0, stderr: '' })
    const env = { ENIGMA_MODULES: made.folder }
    const loaded = await place.run(['modules', 'load', id], { env })
    expect(loaded).toMatchObject({ code: 0, stdout: expect.stringContaining(`Loaded '${id}'`) })
    expect((await place.run([`${id}:status`], { env })).stdout).toMatch(/^\d+ (greeted|beats|heard)\n$/)
    await place.run(['modules', 'unload', '--all'])

    const manager = await ModuleManager.open({ modules: [made.folder] })
    await manager.load(id)
    expect(manager.getModule(id).info.kind).toBe(kind)
    await manager.shutdown()
  })
})

describe('modules new', () => {
  it.each([
    ['My Module', /no module id.*'my-module' would do/],
    ['fooBar', /'foo-bar' would do/],
    ['../up', /'up' would do/],
    ['-', /no module id/],
    [`a${'b'.repeat(64)}`, /at most 64/],
    ['logger', /'logger' is taken/],
  ])('refuses the id %s', async (id, message) => {
    const before = readdirSync(place.folder)
    const { code, stderr } = await place.run(['modules', 'new', '--', id])
    expect(code).toBe(2)
    expect(stderr).toMatch(message)
    expect(readdirSync(place.folder)).toEqual(before)
  })

  it('leaves a folder alone that is there, be it empty', async () => {
    await mkdir(place.path('here'))
    const { code, stderr } = await place.run(['modules', 'new', 'here'])
    expect(code).toBe(2)
    expect(stderr).toMatch(/here exists already.*--dir/)
    expect(readdirSync(place.path('here'))).toEqual([])
  })

  it('leaves nothing half-written where it cannot write', async () => {
    await writeFile(place.path('file'), '')
    const { code, stderr } = await place.run(['modules', 'new', 'lost', '--dir', place.path('file')])
    expect(code).toBe(1)
    expect(stderr).toMatch(/file.* is not a folder|exists/)
    await place.run(['modules', 'new', 'kept', '--dir', place.path('deep', 'er')])
    expect(existsSync(place.path('deep/er/kept/module.yaml'))).toBe(true)
    expect(readdirSync(place.path('deep/er'))).toEqual(['kept'])
  })
})
