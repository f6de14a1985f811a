import { afterEach, beforeEach, expect, test } from 'vitest'
import { token } from '../lifecycle/services.js'
import { openManager } from '../testing/build.js'
import type { ModuleManager } from './manager.js'

let manager: ModuleManager
beforeEach(async () => {
  manager = await openManager()
})
afterEach(() => manager.shutdown())

class MyModule {
  static INFO = {
    id: 'my_module',
    name: 'My Module',
    description: 'Does something awesome',
    category: 'EXTENSION',
    provides: ['my_feature'],
    min_ram_mb: 512,
  }
  instance: { status: string } | undefined
  load(): boolean {
    this.instance = { status: 'ready' }
    return true
  }
  unload(): boolean {
    this.instance = undefined
    return true
  }
  getInterface(): unknown {
    return this.instance
  }
}

class Advanced {
  static INFO = { id: 'advanced', requires: ['my_module'] }
  declare manager: { getInterface(id: string): { status: string } }
  load(): boolean {
    return this.manager.getInterface('my_module').status === 'ready'
  }
}

test('a class in the form of the seed is a module, in either spelling', async () => {
  expect(manager.register(MyModule)).toBe('my-module')
  await manager.load('my_module')
  expect(manager.getInterface<{ status: string }>('my_module').status).toBe('ready')
  expect(manager.getModule('my-module').info.resources.ram).toBe(512 * 2 ** 20)
  await manager.unload('my-module')
  await manager.load('my-module')
})

test('its manager gives the interfaces of what it requires, and nothing else', async () => {
  manager.register(MyModule)
  manager.register(Advanced)
  await manager.load('advanced')
  manager.register(
    class {
      static INFO = { id: 'nosy' }
      declare manager: { getInterface(id: string): unknown }
      load(): boolean {
        return Boolean(this.manager.getInterface('my_module'))
      }
    },
  )
  expect((await manager.tryLoad('nosy')).reason).toContain("Module 'nosy' does not require 'my-module'")
})

test('load that returns false is a failure', async () => {
  manager.register(
    class {
      static INFO = { id: 'no' }
      load(): boolean {
        return false
      }
    },
  )
  expect((await manager.tryLoad('no')).reason).toBe("Module 'no' failed to load: load() returned False")
  expect(manager.getModule('no').state).toBe('error')
})

test('a service instance of the other seed is a module; its service is what it provides', async () => {
  const log: string[] = []
  manager.register({
    name: 'my-service',
    type: 'service',
    version: '1.0.0',
    description: 'My custom service',
    provides: 'greeting',
    async initialize() {
      log.push('initialize')
    },
    async shutdown() {
      log.push('shutdown')
    },
    getService: () => ({ hello: () => 'hello' }),
    healthCheck: async () => ({ healthy: true, message: 'fine' }),
  })
  const Greeting = token<{ hello(): string }>('greeting')
  let heard = ''
  manager.register({
    manifest: { id: 'user', version: '1.0.0', requires: ['greeting'] },
    module: { load: (ctx) => void (heard = ctx.use(Greeting).hello()) },
  })
  await manager.load('user')
  expect([heard, manager.getModule('my-service').info.kind]).toEqual(['hello', 'service'])
  expect(await manager.health('my-service')).toEqual({ 'my-service': { status: 'healthy', message: 'fine' } })
  await manager.unload('my-service', { cascade: true })
  expect(log).toEqual(['initialize', 'shutdown'])
})

test('each load of a class makes a new instance', async () => {
  let made = 0
  manager.register(
    class {
      static INFO = { id: 'counted' }
      constructor() {
        made++
      }
    },
  )
  await manager.load('counted')
  await manager.unload('counted')
  await manager.load('counted')
  expect(made).toBe(2)
})

test('a second module with the same id, a bad manifest, or something else is refused', () => {
  manager.register(MyModule)
  expect(() => manager.register(MyModule)).toThrow("Module 'my-module' is registered already, from an earlier register()")
  expect(() => manager.register({ manifest: { id: 'a', version: 'x' }, module: {} })).toThrow(
    "The manifest of 'a': 'version' must look like",
  )
  expect(() => manager.register({})).toThrow('Pass a class, an instance, or { manifest, module }.')
})
