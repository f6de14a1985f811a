import { existsSync } from 'node:fs'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Place } from './enigma.test.fixture.js'
import { control, hasPseudoTerminal, play } from './pseudo-terminal.test.fixture.js'

// Modules of somebody else, with the real npm, offline.

let place: Place
beforeAll(async () => {
  place = await Place.make()
})
afterAll(() => place[Symbol.asyncDispose]())

const manifestRest = `config: { type: object, properties: { key: { type: string, secret: true } } }
contributes: { commands: [{ name: hi, entry: ./index.js }] }`

/** A package on disk whose scripts and code leave a trace when they run. */
async function writePackage(version: string, permissions: string): Promise<void> {
  await mkdir(place.path('greeter'), { recursive: true })
  const ran = place.path('RAN')
  const described = {
    name: 'enigma-greeter',
    version,
    type: 'module',
    keywords: ['enigma-module'],
    exports: { '.': './index.js', './module.yaml': './module.yaml' },
    scripts: { postinstall: `touch ${ran}`, prepare: `touch ${ran}` },
  }
  await place.write('greeter/package.json', JSON.stringify(described))
  await place.write(
    'greeter/module.yaml',
    `id: greeter\nversion: ${version}\ndescription: Says hello\nentry: ./index.js\n${manifestRest}\n${permissions}`,
  )
  await place.write(
    'greeter/index.js',
    `import { writeFileSync } from 'node:fs'\nwriteFileSync(${JSON.stringify(ran)}, '')\nexport default { load: () => ({ hi: () => 'hi' }) }`,
  )
}

const installed = () =>
  readdir(place.path('home', 'modules')).then(
    (names) => names.sort(),
    () => [],
  )
const add = ['modules', 'add', './greeter', '--offline']

describe('modules add, update and remove', () => {
  beforeEach(() => writePackage('1.0.0', 'permissions: { net: [hello.example] }'))

  it('shows what a module may do, and without anybody to ask installs nothing', async () => {
    const { code, stdout, stderr } = await place.run(add)
    expect(code).toBe(2)
    expect(stdout).toBe('')
    expect(stderr).toContain('greeter 1.0.0: Says hello')
    expect(stderr).toContain('in a process of its own')
    expect(stderr).toContain('hello.example')
    expect(stderr).toMatch(/commands +greeter:hi\n +they do not run.*--trust/)
    expect(stderr).toContain('Add --yes')
    expect(await installed()).toEqual([])
    expect(existsSync(place.path('RAN'))).toBe(false)
  })

  it('installs with --yes, updates what changed, asks again for more, and removes', async () => {
    const added = await place.run([...add, '--yes', '--json'])
    expect(JSON.parse(added.stdout)).toEqual({ id: 'greeter', version: '1.0.0', result: 'installed' })
    expect(await installed()).toEqual(['consent.json', 'greeter'])
    const info = await place.json<{ runtime: string }>(['modules', 'info', 'greeter'])
    expect(info.runtime).toBe('process')
    expect(await place.json(['modules', 'update', '--offline'])).toEqual([
      { id: 'greeter', version: '1.0.0', result: 'unchanged' },
    ])

    await writePackage('1.0.1', 'permissions: { net: [hello.example] }')
    const patch = await place.run(['modules', 'update', 'greeter', '--offline'])
    expect(patch).toMatchObject({ code: 0, stdout: "'greeter' is now 1.0.1.\n" })
    await writePackage('1.1.0', 'permissions: { net: [hello.example, more.example], child: true }')
    const more = await place.run(['modules', 'update', 'greeter', '--offline'])
    expect(more.code).toBe(2)
    expect(more.stderr).toContain('more than you agreed to: network more.example; starting programs')
    expect((await place.json<{ version: string }>(['modules', 'info', 'greeter'])).version).toBe('1.0.1')
    expect(existsSync(place.path('RAN'))).toBe(false)

    const words = await place.run(['modules', 'info', 'greeter'])
    expect(words.stdout).toContain('    reaches hello.example: NOT enforced')
    expect(words.stdout).toMatch(/config\.key +string, secret/)

    const data = place.path('home', 'module-data', 'greeter')
    await mkdir(data, { recursive: true })
    expect(await place.run(['modules', 'remove', 'greeter'])).toMatchObject({ code: 0, stdout: "Removed 'greeter' 1.0.1.\n" })
    expect(existsSync(data)).toBe(false)
    expect(await installed()).toEqual(['consent.json'])
  }, 60_000)

  it('runs a trusted module inside, refuses it once its files were changed, and puts them right', async () => {
    expect(await place.run([...add, '--yes', '--trust'])).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/runs +inside Enigma[\s\S]*trusted: they run inside Enigma/),
    })
    expect(await place.run(['modules', 'load', 'greeter'])).toMatchObject({ code: 0 })
    expect(await place.run(['modules', 'remove', 'greeter'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('modules unload greeter'),
    })
    await writeFile(
      place.path('home', 'modules', 'greeter', 'node_modules', 'enigma-greeter', 'index.js'),
      'throw new Error("evil")',
    )
    const changed = await place.run(['modules', 'load', 'logger'])
    expect(changed.code).toBe(1)
    expect(changed.stderr).toMatch(/node_modules\/enigma-greeter\/index\.js is changed.*enigma modules update greeter/)
    expect(await place.run(['modules', 'update', 'greeter', '--offline'])).toMatchObject({ code: 0 })
    expect(await place.run(['modules', 'unload', 'greeter'])).toMatchObject({ code: 0 })
    await mkdir(place.path('home', 'module-data', 'greeter'), { recursive: true })
    const stored = await place.write('home/module-data/greeter/kept.txt', 'x')
    const removed = await place.run(['modules', 'remove', 'greeter'])
    expect(removed).toMatchObject({ code: 0, stdout: expect.stringContaining('What it has stored stays in') })
    expect(existsSync(stored)).toBe(true)
  }, 60_000)

  it.skipIf(!hasPseudoTerminal())(
    'asks a person at a terminal; anything but yes is a no (needs python3 with pty)',
    async () => {
      const no = await play(place, add, [['Add it? [y/N]', 'n\r']])
      expect(no).toMatchObject({ code: 1, screen: expect.stringContaining('Nothing was installed.') })
      const gone = await play(place, add, [['Add it? [y/N]', control.c]])
      expect(gone.code).toBe(1)
      expect(await installed()).toEqual(['consent.json'])
      const yes = await play(place, add, [['Add it? [y/N]', 'y\r']])
      expect(yes).toMatchObject({ code: 0, screen: expect.stringContaining("Added 'greeter' 1.0.0") })
      expect(await installed()).toEqual(['consent.json', 'greeter'])
    },
    60_000,
  )
})
