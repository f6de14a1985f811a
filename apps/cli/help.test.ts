import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commands, groups } from './commands/index.js'
import { Place } from './enigma.test.fixture.js'
import { makeProgram } from './program.js'

let place: Place
beforeAll(async () => {
  place = await Place.make()
})
afterAll(() => place[Symbol.asyncDispose]())

describe('help', () => {
  it('lists every command', async () => {
    const { code, stdout } = await place.run(['--help'])
    expect(code).toBe(0)
    for (const name of [...Object.keys(groups), ...commands.map((spec) => spec.name).filter((name) => !name.includes(' '))]) {
      expect(stdout).toMatch(new RegExp(`^ {2}${name}\\b`, 'm'))
    }
  })

  it('lists the commands that modules bring, from their manifests alone', async () => {
    await mkdir(place.path('trace'))
    const ran = place.path('RAN')
    await place.write(
      'trace/module.yaml',
      'id: trace\nversion: 1.0.0\nentry: ./index.mjs\ncontributes: { commands: [{ name: tell, description: Tell all, entry: ./index.mjs }] }',
    )
    await place.write('trace/index.mjs', `import { writeFileSync } from 'node:fs'\nwriteFileSync(${JSON.stringify(ran)}, '')`)
    const { code, stdout, stderr } = await place.run(['--help'], { env: { ENIGMA_MODULES: place.path('trace') } })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^ {2}logger:status +Show where the log goes/m)
    expect(stdout).toMatch(/^ {2}trace:tell +Tell all$/m)
    expect(existsSync(ran)).toBe(false)
  })

  it('of a command that a module brings names it as it is typed', async () => {
    const { code, stdout } = await place.run(['logger:status', '--help'])
    expect({ code, first: stdout.split('\n')[0] }).toEqual({
      code: 0,
      first: 'Usage: enigma logger:status [options] [arguments...]',
    })
  })

  it('is there even when no module can be read', async () => {
    const { code, stdout } = await place.run(['--help'], { env: { ENIGMA_MODULES: place.path('nowhere') } })
    expect(code).toBe(0)
    expect(stdout).toContain('Usage: enigma')
  })

  it('shows the same without any argument when no person is there to choose', async () => {
    const { code, stdout } = await place.run([])
    expect(code).toBe(0)
    expect(stdout).toContain('Usage: enigma')
  })

  it('explains each command, with its options and --json', () => {
    const { commander } = makeProgram()
    for (const spec of commands) {
      const target = spec.name
        .split(' ')
        .reduce((parent, word) => parent.commands.find((child) => child.name() === word)!, commander)
      const help = target.helpInformation()
      expect(help).toContain(`Usage: enigma ${spec.name}`)
      expect(help).toContain('--json')
      for (const { flags } of spec.options ?? []) expect(help).toContain(flags.match(/--[a-z-]+/)![0])
    }
  })

  it('of one command goes to stdout', async () => {
    const { code, stdout, stderr } = await place.run(['modules', 'why', '--help'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('Usage: enigma modules why')
  })

  it('loads neither a module nor the front door', async () => {
    const files = await openedBy(['chat', '--help'])
    expect(files.some((file) => file.includes('/apps/cli/dist/program.js'))).toBe(true)
    expect(files.filter((file) => file.includes('file:') && !/\/(apps\/cli|node_modules)\//.test(file))).toEqual([])
  })
})

/** The files that the command imports, as a loader hook sees them. */
async function openedBy(args: readonly string[]): Promise<string[]> {
  const hook = 'export async function load(url, context, next) { process._rawDebug("LOADED " + url); return next(url, context) }'
  const register = `import { register } from 'node:module'; register('data:text/javascript,${encodeURIComponent(hook)}')`
  const { stderr } = await place.run(args, {
    env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(register)}` },
  })
  return stderr.split('\n').filter((line) => line.startsWith('LOADED '))
}
