import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Logging } from '@enigma/contracts'
import { checkModules, ModuleManager } from '@enigma/kernel'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { LoggerService } from '../../types.js'

// The module as it ships, through a real manager.

const moduleFolder = fileURLToPath(new URL('../../../', import.meta.url))

let folder = ''
let manager: ModuleManager
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'enigma-logger-'))
  manager = await ModuleManager.open({ modules: [moduleFolder] })
})
afterEach(async () => {
  await manager.shutdown()
  rmSync(folder, { recursive: true, force: true })
})

const config = (rest: Record<string, unknown> = {}) => ({ folder, console: false, ...rest })

function lines(): Record<string, unknown>[] {
  const text = readFileSync(join(folder, 'enigma.log'), 'utf8').trim()
  return text === '' ? [] : text.split('\n').map((line) => JSON.parse(line) as Record<string, unknown>)
}

function talker(id: string): void {
  manager.register({
    manifest: { id, version: '1.0.0' },
    module: {
      load(ctx) {
        ctx.log.debug('details')
        ctx.log.info('hello', { apiKey: 'sk-very-secret', tokens: 3 })
        return { say: (text: string) => ctx.log.warn(text) }
      },
    },
  })
}

test('the manifest is clean', async () => {
  expect(await checkModules([moduleFolder])).toEqual([])
  expect(manager.listModules()).toMatchObject([{ id: 'logger', kind: 'service', provides: ['logging'], broken: false }])
})

test('what modules log goes to the file as JSON lines, secrets redacted, with the level as the floor', async () => {
  await manager.load('logger', config())
  talker('a')
  await manager.load('a')
  expect(lines()).toMatchObject([{ level: 30, module: 'a', msg: 'hello', apiKey: '[redacted]', tokens: 3 }])
  expect(lines()[0]!.time).toMatch(/^\d{4}-\d\d-\d\dT/)
  expect(statSync(join(folder, 'enigma.log')).mode & 0o777).toBe(0o600)
})

test('what was logged before the logger came is written when it comes, once', async () => {
  talker('a')
  await manager.load('a')
  await manager.load('logger', config())
  expect(lines().map(({ msg }) => msg)).toEqual(['hello'])
  const a = manager.getInterface<{ say(text: string): void }>('a')
  await manager.unload('logger')
  a.say('while it was away')
  await manager.load('logger', config())
  expect(lines().map(({ msg }) => msg)).toEqual(['hello', 'while it was away'])
})

test('failures of modules and of event handlers are logged', async () => {
  await manager.load('logger', config())
  manager.register({
    manifest: { id: 'bad', version: '1.0.0' },
    module: {
      load(ctx) {
        ctx.events.on('x', () => {
          throw new Error('in a handler')
        })
        manager.events.emit('x', 0)
        throw new Error('in load')
      },
    },
  })
  await manager.tryLoad('bad')
  expect(lines().map(({ level, module, msg }) => [level, module, msg])).toEqual([
    [50, 'bad', "a handler of 'x' failed: in a handler"],
    [50, 'bad', "Module 'bad' failed to load: in load"],
  ])
})

test('other modules write through the logging service, and children carry their fields', async () => {
  manager.register({
    manifest: { id: 'user', version: '1.0.0', requires: ['logging@^1'] },
    module: {
      load(ctx) {
        const log = ctx.use(Logging).child({ request: 7 })
        log.child({ part: 'b' }).error('failed', { password: 'x' })
      },
    },
  })
  await manager.load('logger', config())
  await manager.load('user')
  expect(lines()).toMatchObject([{ level: 50, msg: 'failed', request: 7, part: 'b', password: '[redacted]' }])
})

test('the level can change while it runs, the folder cannot', async () => {
  await manager.load('logger', config({ level: 'error' }))
  talker('a')
  await manager.load('a')
  expect(lines()).toEqual([])
  await manager.configure('logger', { level: 'debug' })
  manager.getInterface<{ say(text: string): void }>('a').say('now')
  expect(lines().map(({ msg }) => msg)).toEqual(['now'])
  await expect(manager.configure('logger', { folder: join(folder, 'other') })).rejects.toMatchObject({
    code: 'CONFIG_NEEDS_RESTART',
  })
})

test('files rotate by size', async () => {
  await manager.load('logger', config({ maxSize: '1KB', maxFiles: 2 }))
  const logger: LoggerService = manager.getInterface('logger')
  for (let i = 0; i < 40; i++) logger.info(`record number ${i}`)
  const status = logger.status()
  expect(status.rotated).toEqual(['enigma.1.log'])
  expect(status.size).toBeLessThanOrEqual(1024)
  expect(lines().at(-1)!.msg).toBe('record number 39')
})

test('a wrong config is refused by name', async () => {
  await expect(manager.load('logger', config({ level: 'loud' }))).rejects.toThrow(
    "'level' must be one of debug, info, warn, error",
  )
})

test('a folder that cannot be made is an error of the load, and the rest goes on', async () => {
  await manager.load('logger', config())
  await manager.unload('logger')
  await expect(manager.load('logger', { folder: join(folder, 'enigma.log', 'sub'), console: false })).rejects.toMatchObject({
    code: 'LOAD_FAILED',
  })
  expect(manager.getModule('logger').state).toBe('error')
})

test('the status command answers as text and as JSON', async () => {
  await manager.load('logger', config())
  expect(await manager.runCommand('logger', 'status')).toContain(`file     ${join(folder, 'enigma.log')} (0 bytes)`)
  expect(await manager.runCommand('logger', 'status', { options: { format: 'json' } })).toMatchObject({
    level: 'info',
    console: false,
    size: 0,
  })
})
