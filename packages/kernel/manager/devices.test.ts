import { afterEach, expect, test } from 'vitest'
import type { ManifestInput } from '../manifest/manifest.js'
import { gigabyte, openManager } from '../testing/build.js'
import type { ModuleManager } from './manager.js'

// Modules on a machine with GPUs.

const open: ModuleManager[] = []
afterEach(async () => {
  for (const one of open.splice(0)) await one.shutdown()
})

const gpu = (vram: number) => ({ name: 'gpu', vramTotal: vram * gigabyte, vramFree: vram * gigabyte, api: 'cuda' as const })

async function manager(...vram: number[]): Promise<ModuleManager> {
  const made = await openManager({ hardware: { gpus: vram.map(gpu) } })
  open.push(made)
  return made
}

function add(m: ModuleManager, id: string, resources: NonNullable<ManifestInput['resources']>, estimate?: object): void {
  m.register({
    manifest: { id, version: '1.0.0', resources },
    module: { ...(estimate && { estimate: () => estimate }), load: (ctx) => ({ device: () => ctx.device }) },
  })
}

const device = (m: ModuleManager, id: string) => m.getInterface<{ device(): string }>(id).device()

test('a module works where its memory is: on the GPU with the most, the one it is bound to, or the CPU', async () => {
  const m = await manager(8, 24)
  add(m, 'auto', { vram: '6GB' })
  add(m, 'bound', { vram: '6GB', device: 'gpu:0' })
  add(m, 'cpu', { vram: '6GB', device: 'cpu' })
  add(m, 'modest', { vram: '30GB', gpu: 'preferred' })
  add(m, 'none', { ram: '1GB' })
  await m.loadAll(['auto', 'bound', 'cpu', 'modest', 'none'])
  expect(['auto', 'bound', 'cpu', 'modest', 'none'].map((id) => device(m, id))).toEqual(['gpu:1', 'gpu:0', 'cpu', 'cpu', 'cpu'])
  expect(m.resources().pools.map(({ name, held }) => [name, held / gigabyte])).toEqual([
    ['ram', 1],
    ['gpu:0', 6],
    ['gpu:1', 6],
  ])
})

test('a config may choose the device', async () => {
  const m = await manager(8, 24)
  add(m, 'a', { vram: '6GB' }, { vram: 5 * gigabyte, device: 'gpu:0' })
  add(m, 'b', { vram: '6GB' }, { device: 'cpu' })
  add(m, 'c', { vram: '6GB' }, { device: 'gpu:9' })
  await m.loadAll(['a', 'b'])
  expect([device(m, 'a'), device(m, 'b')]).toEqual(['gpu:0', 'cpu'])
  await expect(m.load('c')).rejects.toMatchObject({ code: 'NO_GPU' })
})

test('a device that is full, or not there, refuses before anything runs', async () => {
  const m = await manager(8, 24)
  add(m, 'a', { vram: '6GB', device: 'gpu:0' })
  add(m, 'b', { vram: '6GB', device: 'gpu:0' })
  add(m, 'c', { vram: '6GB', device: 'gpu:5' })
  await m.load('a')
  expect(await m.canLoad('b')).toMatchObject({ ok: false, code: 'NO_VRAM' })
  expect((await m.canLoad('b')).reason).toContain(
    'Module requires 6144MB VRAM on gpu:0, only 2048MB available. Take another device.',
  )
  expect(await m.canLoad('c')).toMatchObject({ ok: false, code: 'NO_VRAM' })
})

test('who prefers a GPU takes what those leave who need one, in whatever order they are loaded', async () => {
  const m = await manager(8)
  m.register({ manifest: { id: 'prefers', version: '1.0.0', resources: { vram: '6GB', gpu: 'preferred' } }, module: {} })
  m.register({
    manifest: { id: 'needs', version: '1.0.0', requires: ['prefers'], resources: { vram: '6GB', gpu: 'required' } },
    module: {},
  })
  expect(await m.canLoad('needs')).toMatchObject({ ok: true })
  await m.load('needs')
  expect(m.ledger.map(({ module, vram }) => [module, vram / gigabyte])).toEqual([['needs', 6]])
})

test('memory that two kinds share: who prefers the GPU does without it rather than be refused', async () => {
  const m = await openManager({
    hardware: { gpus: [gpu(8)], unifiedMemory: true, ramTotal: 8 * gigabyte, ramFree: 8 * gigabyte },
  })
  open.push(m)
  add(m, 'modest', { ram: '4GB', vram: '6GB', gpu: 'preferred' })
  await m.load('modest')
  expect(device(m, 'modest')).toBe('cpu')
  expect(m.ledger).toMatchObject([{ module: 'modest', ram: 4 * gigabyte, vram: 0 }])
})

test('a device that is none is refused, whatever a config says', async () => {
  const m = await manager(8)
  const devices: unknown[] = ['nope', 7, 'gpu:', 'gpu:-1']
  for (const [i, wrong] of devices.entries()) {
    add(m, `m${i}`, { vram: '1GB' }, { device: wrong })
    await expect(m.load(`m${i}`)).rejects.toMatchObject({ code: 'BAD_AMOUNT' })
  }
  expect(m.ledger).toEqual([])
})
