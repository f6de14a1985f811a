import { afterAll, beforeAll, expect, it } from 'vitest'
import { ModuleManager } from './manager.js'

// The built-in modules import packages of every sort: what the bundler gets wrong about one shows here.

let manager: ModuleManager
beforeAll(async () => {
  manager = await ModuleManager.open()
})
afterAll(() => manager.shutdown())

it('every built-in module can be reloaded from its sources', async () => {
  const ids = manager.listModules().map(({ id }) => id)
  expect(ids).toContain('inference')
  for (const id of ids) expect(await manager.reload(id)).toMatchObject({ id, up: false })
})

it('a loaded one is what it was, for those who hold it', async () => {
  await manager.load('logger', { console: false, file: false })
  const held = manager.getInterface('logger')
  expect(await manager.reload('logger')).toMatchObject({ up: true })
  expect(() => held.info('still here')).not.toThrow()
  expect(manager.getModule('logger').config).toMatchObject({ console: false, file: false })
})
