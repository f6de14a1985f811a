import { mkdir, writeFile } from 'node:fs/promises'
import { Command, Option } from 'commander'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Place } from './enigma.test.fixture.js'
import { whole } from './parse.js'
import { applyValues, environmentName } from './settings.js'

function commandWith(argv: readonly string[]): Command {
  const option = new Option('--top-k <n>').argParser(whole()).env('ENIGMA_TOP_K').default(50)
  return new Command('x')
    .addOption(option)
    .exitOverride()
    .parse([...argv], { from: 'user' })
}

describe('settings', () => {
  it('take a flag before the environment before a file before the default', () => {
    const value = (argv: string[], file: Record<string, unknown>) => {
      const command = commandWith(argv)
      applyValues(command, file, 'f')
      return command.opts().topK
    }
    expect(value([], {})).toBe(50)
    expect(value([], { 'top-k': 40 })).toBe(40)
    expect(value([], { topK: '41' })).toBe(41)
    process.env.ENIGMA_TOP_K = '30'
    expect(value([], { top_k: 40 })).toBe(30)
    expect(value(['--top-k', '20'], { topK: 40 })).toBe(20)
    delete process.env.ENIGMA_TOP_K
  })

  it('name their environment variable after the option', () => {
    expect(environmentName('repetitionPenalty')).toBe('ENIGMA_REPETITION_PENALTY')
  })

  it('refuse an unknown key with the nearest one, and a wrong value', () => {
    expect(() => applyValues(commandWith([]), { topp: 3 }, 'f.yaml')).toThrow(/f\.yaml.*'topp'.*Did you mean 'topK'/)
    expect(() => applyValues(commandWith([]), { topK: 'many' }, 'f.yaml')).toThrow(/f\.yaml: 'topK'.*whole number/)
  })
})

describe('the settings file', () => {
  let place: Place
  beforeAll(async () => {
    place = await Place.make()
    await mkdir(place.path('home'))
  })
  afterAll(() => place[Symbol.asyncDispose]())

  it('is checked by every command, and a wrong one is a usage error that names it', async () => {
    await writeFile(place.path('home', 'config.json'), '{"temprature": 0}')
    const wrong = await place.run(['hardware'])
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringMatching(/config\.json.*'temprature'.*temperature/) })
    await writeFile(place.path('home', 'config.json'), '{"temperature": 0}')
    expect((await place.run(['hardware'])).code).toBe(0)
  })

  it('gives the model when no flag does', async () => {
    await writeFile(place.path('home', 'config.json'), '{"model": "from-the-file"}')
    expect((await place.run(['run', 'x'])).stderr).toContain('from-the-file')
    expect((await place.run(['run', 'x'], { env: { ENIGMA_MODEL: 'from-the-environment' } })).stderr).toContain(
      'from-the-environment',
    )
    expect((await place.run(['run', 'x', '--model', 'from-the-flag'])).stderr).toContain('from-the-flag')
  })
})
