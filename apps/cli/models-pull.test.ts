import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TestHub } from '@enigma/lm/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Place } from './enigma.test.fixture.js'

// The model that ships, as if it lay on the hub.

let place: Place
let hub: TestHub
let env: Record<string, string>
beforeAll(async () => {
  place = await Place.make()
  const shipped = join(import.meta.dirname, '../../../models/storyteller')
  const names = ['config.json', 'tokenizer.json', 'model.safetensors']
  const files = await Promise.all(names.map(async (name) => [name, await readFile(join(shipped, name))] as const))
  hub = await TestHub.start(Object.fromEntries(files))
  env = { HF_ENDPOINT: hub.endpoint }
})
afterAll(async () => {
  await hub[Symbol.asyncDispose]()
  await place[Symbol.asyncDispose]()
})

const greedy = ['--max-tokens', '6', '--temperature', '0', 'Once upon a time', '--json']

describe('models pull', () => {
  it('fetches a model that run, ls and import then find by its name, also without the hub', async () => {
    const before = await place.run(['run', '--model', 'tiny/teller', ...greedy], { env })
    expect([before.code, before.stderr]).toEqual([1, expect.stringMatching(/Pull it: enigma models pull tiny\/teller\n$/)])

    hub.faults.push('drop')
    const pulled = await place.run(['models', 'pull', 'tiny/teller', '--json'], { env })
    expect(JSON.parse(pulled.stdout)).toMatchObject({ name: 'tiny/teller', revision: hub.commit, files: { length: 3 } })

    const offline = { ...env, HF_HUB_OFFLINE: '1' }
    const again = await place.run(['models', 'pull', 'tiny/teller'], { env: offline })
    expect([again.code, again.stdout]).toEqual([0, expect.stringMatching(/^tiny\/teller@[0-9a-f]{7}: was there already/)])
    const [ran, shipped, listed, imported] = await Promise.all([
      place.run(['run', '--model', 'tiny/teller', ...greedy], { env: offline }),
      place.run(['run', ...greedy], { env }),
      place.run(['models', 'ls'], { env: offline }),
      place.run(['models', 'import', 'tiny/teller', '--json'], { env: offline }),
    ])
    expect(JSON.parse(ran.stdout)).toMatchObject({ model: 'tiny/teller', text: JSON.parse(shipped.stdout).text })
    expect(listed.stdout).toMatch(RegExp(`tiny/teller@${hub.commit.slice(0, 7)} .*${hub.commit}`))
    expect(JSON.parse(imported.stdout)).toMatchObject({ name: 'teller', folder: place.path('home', 'models', 'teller') })
  }, 60_000)

  it('fetches one GGUF file, which ls lists and import reads', async () => {
    await place.json(['models', 'export', 'storyteller', '--format', 'gguf', '--out', 'teller.gguf'])
    await using files = await TestHub.start({ 'teller.gguf': await readFile(place.path('teller.gguf')), 'README.md': '# Teller' })
    const env = { HF_ENDPOINT: files.endpoint, HF_HOME: place.path('files') }
    const pulled = await place.run(['models', 'pull', 'tiny/teller', '--file', 'teller.gguf'], { env })
    expect([pulled.code, pulled.stdout]).toEqual([0, expect.stringMatching(/Try it: enigma models import tiny\/teller\n$/)])
    const [listed, imported] = await Promise.all([
      place.run(['models', 'ls'], { env }),
      place.run(['models', 'import', 'tiny/teller', '--name', 'from-gguf', '--json'], { env }),
    ])
    expect(listed.stdout).toMatch(/tiny\/teller@[0-9a-f]{7} .* GGUF .*teller\.gguf/)
    expect(JSON.parse(imported.stdout)).toMatchObject({ name: 'from-gguf', format: 'gguf' })
  }, 60_000)

  it('says what is wrong in one line', async () => {
    const absent = await place.run(['models', 'pull', 'tiny/tailor'], { env })
    expect([absent.code, absent.stderr]).toEqual([1, expect.stringMatching(/^error: There is no tiny\/tailor@main at .*\n$/)])
    const offline = await place.run(['models', 'pull', 'tiny/tailor'], { env: { ...env, HF_HUB_OFFLINE: '1' } })
    expect([offline.code, offline.stderr]).toEqual([
      1,
      expect.stringMatching(/^error: .* HF_HUB_OFFLINE forbids to fetch it.*\n$/),
    ])
  }, 60_000)
})
