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
