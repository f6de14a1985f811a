import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { ModuleManager } from 'enigma'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Place } from './enigma.test.fixture.js'

let place: Place
beforeAll(async () => {
  place = await Place.make()
})
afterAll(() => place[Symbol.asyncDispose]())

/** `npm test` of a module: its end and what it printed. */
function output(command: string, args: readonly string[], cwd: string): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: place.environment })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
      })
    }
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, output }))
  })
}

// Modules in Python are tried where there is a python3.
const hasPython = spawnSync('python3', ['--version']).status === 0
const languages = ['js', 'ts', ...(hasPython ? ['python'] : [])]
const wishes = ['service', 'daemon', 'plugin'].flatMap((kind) =>
  languages.map((language) => ({ kind, language, id: `my-${kind}-${language}` })),
)

describe('what modules new writes', () => {
  it.each(wishes)('loads as a $kind: $id', async ({ kind, language, id }) => {
    const made = await place.json<{ folder: string; files: string[] }>([
      'modules',
      'new',
      id,
      '--kind',
      kind,
      '--language',
      language,
      '--dir',
      'all',
    ])
    expect(made).toMatchObject({
      folder: place.path('all', id),
      files: expect.arrayContaining(['module.yaml', language === 'python' ? 'main.py' : `index.${language}`]),
    })
    const manager = await ModuleManager.open({ modules: [made.folder] })
    await manager.load(id)
    expect(manager.getModule(id)).toMatchObject({ state: 'active', info: { kind } })
    expect(await manager.runCommand(id, 'status')).toMatch(/^\d+ (greeted|beats|heard|counted)$/)
    await manager.shutdown()
  })

  it('passes its own tests, wherever it stands', async () => {
    const { code, output: text } = await output(process.execPath, ['--test'], place.path('all'))
    expect(code, text).toBe(0)
    // Two of the whole module each, and one of a part for those in JavaScript.
    expect(text).toMatch(new RegExp(`^# pass ${2 * wishes.length + 3}$`, 'm'))
    expect(text).toMatch(/^# skipped 0$/m)
  })

  it.skipIf(!hasPython)('in Python answers what is no message, and leaves no bytecode among its files (needs python3)', () => {
    const folder = place.path('all', 'my-plugin-python')
    expect(readdirSync(folder)).not.toContain('__pycache__')
    const hostile = [
      '{',
      '[]',
      '7',
      'null',
      '{"method":7}',
      '{"id":1,"method":"none"}',
      '{"id":2,"method":"tools/call","params":{"name":"load"}}',
    ]
    const { stdout, status } = spawnSync('python3', ['-B', 'main.py'], {
      cwd: folder,
      input: `${hostile.join('\n')}\n`,
      encoding: 'utf8',
    })
    const codes = stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { error: { code: number } }).error.code)
    expect({ codes, status }).toEqual({ codes: [-32700, -32700, -32700, -32700, -32700, -32601, -32602], status: 0 })
  })

  it('is ready for npm test, modules check, modules load and its command', async () => {
    const folder = place.path('all', 'my-service-js')
    expect(await output('npm', ['test', '--silent'], folder)).toMatchObject({ code: 0 })
    expect(await place.run(['modules', 'check', place.path('all')])).toMatchObject({ code: 0, stderr: '' })
    const env = { ENIGMA_MODULES: folder }
    const loaded = await place.run(['modules', 'load', 'my-service-js'], { env })
    expect(loaded).toMatchObject({ code: 0, stdout: expect.stringContaining("Loaded 'my-service-js'") })
    expect(await place.run(['my-service-js:status'], { env })).toMatchObject({ code: 0, stdout: '0 greeted\n', stderr: '' })
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
    if (existsSync('/proc/self')) {
      const none = await place.run(['modules', 'new', 'lost', '--dir', '/proc/none'])
      expect(none).toMatchObject({ code: 1, stderr: expect.stringContaining('/proc/none') })
    }
    await place.run(['modules', 'new', 'kept', '--dir', place.path('deep', 'er')])
    expect(existsSync(place.path('deep/er/kept/module.yaml'))).toBe(true)
    expect(readdirSync(place.path('deep/er'))).toEqual(['kept'])
  })
})
