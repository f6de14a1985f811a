import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Place } from './enigma.test.fixture.js'

let place: Place
beforeAll(async () => {
  place = await Place.make()
})
afterAll(() => place[Symbol.asyncDispose]())

interface Listed {
  readonly id: string
  readonly state: string
  readonly category: string
  readonly provides: readonly string[]
}

/** A module on disk, in a folder of the home's `modules`. */
async function writeModule(folder: string, id: string, manifest: string, code = 'export default {}'): Promise<string> {
  const path = place.path(folder, id)
  await mkdir(path, { recursive: true })
  await writeFile(join(path, 'module.yaml'), `id: ${id}\nversion: 1.0.0\nentry: ./index.js\n${manifest}`)
  await writeFile(join(path, 'package.json'), '{"type":"module"}')
  await writeFile(join(path, 'index.js'), code)
  return place.path(folder)
}

describe('modules ls', () => {
  it('shows the built-in modules with state, category and what they provide', async () => {
    const list = await place.json<Listed[]>(['modules', 'ls'])
    expect(list.map(({ id }) => id)).toEqual(expect.arrayContaining(['inference', 'logger', 'model', 'tokenizer', 'training']))
    expect(list.find(({ id }) => id === 'inference')).toMatchObject({ state: 'unloaded', category: 'core' })
    expect(list.find(({ id }) => id === 'inference')!.provides).toContain('text-generation')
  })
})

describe('modules why', () => {
  it('explains the closure of inference', async () => {
    const { code, stdout } = await place.run(['modules', 'why', 'inference'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/model: needed by inference as language-model@\^1/)
    expect(stdout).toMatch(/tokenizer: needed by inference as tokenization@\^1/)
    const { closure } = await place.json<{ closure: { id: string; neededBy?: string }[] }>(['modules', 'why', 'inference'])
    expect(closure.at(-1)!.id).toBe('inference')
  })

  it('names a module that is not there, with the nearest one', async () => {
    const { code, stderr } = await place.run(['modules', 'why', 'infernce'])
    expect(code).toBe(1)
    expect(stderr).toMatch(/infernce.*inference/)
  })
})

describe('modules graph and info', () => {
  it('draw the edges, and describe one module', async () => {
    const { edges } = await place.json<{ edges: { from: string; to: string }[] }>(['modules', 'graph'])
    expect(edges).toContainEqual(expect.objectContaining({ from: 'inference', to: 'model', kind: 'requires' }))
    const { stdout } = await place.run(['modules', 'info', 'model'])
    expect(stdout).toMatch(/provides +model@1\.0\.0|provides .*language-model@1\.0\.0/)
    expect(stdout).toContain('config.model')
  })
})

describe('modules check', () => {
  it('is content with the built-in modules', async () => {
    const { code, stdout, stderr } = await place.run(['modules', 'check'])
    expect(stderr).toBe('')
    expect(stdout).toBe('All manifests are fine.\n')
    expect(code).toBe(0)
  })

  it('names file, key and suggestion of an unknown key', async () => {
    const folder = await writeModule('typo', 'heart', 'requirs: [model]\n')
    const { code, stdout } = await place.run(['modules', 'check', folder])
    expect(code).toBe(1)
    expect(stdout).toMatch(/heart\/module\.yaml.*requirs.*requires/)
  })

  it('names a cycle in full', async () => {
    await writeModule('cycle', 'a', 'requires: [b]\n')
    await writeModule('cycle', 'b', 'requires: [c]\n')
    const folder = await writeModule('cycle', 'c', 'requires: [a]\n')
    const { code, stdout } = await place.run(['modules', 'check', folder])
    expect(code).toBe(1)
    expect(stdout).toContain('a -> b -> c -> a')
  })
})

describe('modules load and unload', () => {
  const saved = () => place.path('home', 'enigma_modules.json')
  const states = async () => new Map((await place.json<Listed[]>(['modules', 'ls'])).map(({ id, state }) => [id, state]))

  it('keep a saved set, with what a module requires, and say who needs what', async () => {
    const folder = await writeModule('pair', 'lamp', 'requires: [socket]\n')
    await writeModule('pair', 'socket', '')
    const env = { ENIGMA_MODULES: folder }
    const loaded = await place.run(['modules', 'load', 'lamp'], { env })
    expect(loaded).toMatchObject({ code: 0, stderr: '' })
    expect(loaded.stdout).toMatch(/Loaded 'lamp', with what it requires: socket/)
    const list = JSON.parse((await place.run(['modules', 'ls', '--json'], { env })).stdout) as Listed[]
    expect(list.filter(({ state }) => state === 'active').map(({ id }) => id)).toEqual(['lamp', 'socket'])

    const refused = await place.run(['modules', 'unload', 'socket'], { env })
    expect(refused.code).toBe(1)
    expect(refused.stderr).toMatch(/Cannot unload 'socket': required by 'lamp'/)
    expect((await place.run(['modules', 'unload', 'socket', '--cascade'], { env })).code).toBe(0)
    expect(JSON.parse(await readFile(saved(), 'utf8'))).toMatchObject({ modules: {} })
  })

  it('leave the others when a module throws in load', async () => {
    const code = "export default { load() { throw new Error('no current') } }"
    const folder = await writeModule('broken', 'fuse', 'requires: [logger]\n', code)
    const env = { ENIGMA_MODULES: folder }
    expect((await place.run(['modules', 'load', 'logger'], { env })).code).toBe(0)
    const failed = await place.run(['modules', 'load', 'fuse'], { env })
    expect(failed.code).toBe(1)
    expect(failed.stderr).toMatch(/fuse.*no current/)
    expect((await states()).get('logger')).toBe('active')
  })

  it('say how to start over when the saved set cannot be loaded', async () => {
    await writeFile(saved(), JSON.stringify({ modules: { gone: {} } }))
    const { code, stderr } = await place.run(['modules', 'load', 'logger'])
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /'gone' is not there any more\. Name its folder in ENIGMA_MODULES.*start over with: enigma modules unload --all/,
    )
    expect((await place.run(['modules', 'unload', '--all'])).code).toBe(0)
    expect((await place.run(['modules', 'load', 'logger'])).code).toBe(0)
  })
})

describe('commands that modules contribute', () => {
  const command = `export default { name: 'shine', description: '', execute: ({ options, args }) => ({ options, args }) }`

  it('run with the options of the manifest', async () => {
    const manifest =
      'contributes: { commands: [{ name: shine, description: Give light, entry: ./shine.js, options: [{ name: watts, type: number, default: 5 }] }] }\n'
    const folder = await writeModule('contributed', 'torch', manifest)
    await writeFile(join(folder, 'torch', 'shine.js'), command)
    const env = { ENIGMA_MODULES: folder }
    const plain = await place.run(['torch:shine', 'here', '--json'], { env })
    expect(JSON.parse(plain.stdout)).toEqual({ options: { watts: 5 }, args: ['here'] })
    const bright = await place.run(['torch:shine', '--watts', '60', '--json'], { env })
    expect(JSON.parse(bright.stdout)).toEqual({ options: { watts: 60 }, args: [] })
    const help = await place.run(['torch:shine', '--help'], { env })
    expect(help).toMatchObject({ code: 0, stdout: expect.stringContaining('Give light') })
    const wrong = await place.run(['torch:shine', '--wats', '60'], { env })
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('--watts') })
    const unknown = await place.run(['torch:glow'], { env })
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringMatching(/no command 'glow'.*shine/) })
  })
})
