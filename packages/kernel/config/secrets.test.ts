import { chmodSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ModuleManager } from '../manager/manager.js'
import { manifest, openManager, temporaryFolder, tracked } from '../testing/build.js'
import { ConfigChecker } from './config.js'
import { SecretBox } from './secret-box.js'
import { isSecretKey } from './secrets.js'

let folder: ReturnType<typeof temporaryFolder>
const open: ModuleManager[] = []
beforeEach(() => {
  folder = temporaryFolder()
})
afterEach(async () => {
  for (const manager of open.splice(0)) await manager.shutdown()
  folder.remove()
})

const config = {
  type: 'object',
  properties: {
    key: { type: 'string', secret: true, minLength: 4, pattern: '^sk-', maxLength: 12 },
    pin: { enum: ['1234', '5678'], format: 'password' },
    account: { type: 'object', properties: { name: { type: 'string' }, token: { type: 'string', writeOnly: true } } },
    tokens: { type: 'array', items: { $ref: '#/definitions/token' } },
    size: { type: 'string' },
  },
  definitions: { token: { type: 'string', secret: true } },
  minProperties: 1,
}

async function fresh(stateFolder?: string): Promise<ModuleManager> {
  const manager = await openManager(stateFolder === undefined ? {} : { stateFolder })
  open.push(manager)
  tracked(manager, [], 'cloud', { config })
  return manager
}

test('a key with a secret anywhere in it is secret', () => {
  const secret = (schema: object) =>
    ['key', 'pin', 'account', 'tokens', 'size', 'any'].filter((key) => isSecretKey({ ...schema }, key))
  expect(secret(config)).toEqual(['key', 'pin', 'account', 'tokens'])
  expect(secret({ additionalProperties: { type: 'string', secret: true } })).toContain('any')
  expect(secret({ properties: { any: { $ref: '#/definitions/token' } } })).toEqual([])
  expect(isSecretKey(undefined, 'key')).toBe(false)
})

test('no error quotes the value of a secret', () => {
  const checker = new ConfigChecker()
  const bad: object[] = [
    { key: 'hunter2' },
    { key: 'sk-hunter2-hunter2' },
    { key: ['hunter2'] },
    { pin: 'hunter2' },
    { account: 'hunter2' },
    { account: { token: { deep: 'hunter2' } } },
    { tokens: ['ok', { hunter2: 'hunter2' }] },
    { key: { hunter2: 1 }, size: 3 },
  ]
  for (const given of bad) {
    const thrown = () => checker.check(manifest('cloud', { config }), given as Record<string, unknown>)
    expect(thrown).toThrow(expect.objectContaining({ code: 'BAD_CONFIG' }))
    expect(thrown).not.toThrow(/hunter2/)
  }
  const size = () => checker.check(manifest('cloud', { config }), { key: 'x', size: 3 })
  expect(size).toThrow("'key' must NOT have fewer than 4 characters (its value is secret)")
  expect(size).toThrow("'size' must be a string (got 3)")
})

test('secrets are saved sealed and restored without being typed again', async () => {
  const path = join(folder.path, 'set.json')
  const state = join(folder.path, 'state')
  const secrets = { key: 'sk-hunter2', account: { name: 'ada', token: 'hunter2' } }
  const before = await fresh(state)
  await before.load('cloud', { ...secrets, size: 'big' })
  await before.saveConfig(path)
  const text = readFileSync(path, 'utf8')
  expect(text).not.toContain('hunter2')
  expect(text).toContain('big')
  expect(statSync(join(state, 'secrets.key')).mode & 0o777).toBe(0o600)

  const seen: unknown[] = []
  const after = await openManager({ stateFolder: state })
  open.push(after)
  after.register({
    manifest: { id: 'cloud', version: '1.0.0', config },
    module: { load: (ctx) => void seen.push(ctx.config) },
  })
  const events: unknown[] = []
  after.events.on('**', (payload) => void events.push(payload))
  await after.loadConfig(path)
  expect(seen).toEqual([{ ...secrets, size: 'big' }])
  expect(JSON.stringify(events)).not.toContain('hunter2')
  expect(JSON.stringify(after.getModule('cloud'))).not.toContain('hunter2')
})

test('without the key the secret is asked for, by name; what is given anew is taken', async () => {
  const path = join(folder.path, 'set.json')
  const state = join(folder.path, 'state')
  const before = await fresh(state)
  await before.load('cloud', { key: 'sk-one', size: 'big' })
  await before.saveConfig(path)
  const stateless = await fresh()
  await expect(stateless.loadConfig(path)).rejects.toMatchObject({ code: 'SECRET_UNREADABLE' })
  expect(stateless.listLoaded()).toEqual([])
  await stateless.loadConfig(path, { secrets: { cloud: { key: 'sk-two' } } })
  rmSync(join(state, 'secrets.key'))
  await expect((await fresh(state)).loadConfig(path)).rejects.toThrow(
    /The key of saved secrets, .*secrets\.key, cannot be used: ENOENT/,
  )
  await new SecretBox(join(state, 'secrets.key')).seal('makes another key', 'x')
  await expect((await fresh(state)).loadConfig(path)).rejects.toThrow(/cloud\.key cannot be read: it was saved with another key/)
})

test('a sealed value opens for what it was sealed for, unchanged, with a key that only the user can read', async () => {
  const file = join(folder.path, 'deep', 'secrets.key')
  const box = new SecretBox(file)
  const sealed = await box.seal({ any: ['value', 1, null] }, 'a.key')
  expect(await new SecretBox(file).open(sealed, 'a.key')).toEqual({ any: ['value', 1, null] })
  expect((await box.seal('x', 'a.key')).$sealed).not.toBe((await box.seal('x', 'a.key')).$sealed)
  await expect(box.open(sealed, 'b.key')).rejects.toMatchObject({ code: 'SECRET_UNREADABLE' })
  const bytes = Buffer.from(sealed.$sealed, 'base64')
  for (let i = 0; i < bytes.length; i++) {
    const bent = Buffer.from(bytes)
    bent[i]! ^= 1
    await expect(box.open({ $sealed: bent.toString('base64') }, 'a.key')).rejects.toMatchObject({ code: 'SECRET_UNREADABLE' })
  }
  for (const short of ['', 'AAAA', bytes.subarray(0, 20).toString('base64')])
    await expect(box.open({ $sealed: short }, 'a.key')).rejects.toMatchObject({ code: 'SECRET_UNREADABLE' })
  chmodSync(file, 0o644)
  await expect(new SecretBox(file).open(sealed, 'a.key')).rejects.toThrow('others may read it; run chmod 600 on it')
  chmodSync(file, 0o600)
  writeFileSync(file, 'short')
  await expect(new SecretBox(file).seal('x', 'a.key')).rejects.toThrow('it has 5 bytes instead of 32')
})

test('two that make the key at the same moment share it', async () => {
  const file = join(folder.path, 'secrets.key')
  const sealed = await Promise.all(Array.from({ length: 8 }, (_, i) => new SecretBox(file).seal(i, 'k')))
  const box = new SecretBox(file)
  expect(await Promise.all(sealed.map((value) => box.open(value, 'k')))).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
})
