import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ModuleError } from '../errors.js'
import { gigabyte } from '../testing/build.js'
import { detectHardware, type HardwareOverrides } from './hardware.js'
import { ResourceLedger } from './ledger.js'
import { levelAt } from './pool.js'

const gpu = (vramTotal: number, vramFree = vramTotal) => ({ name: 'gpu', vramTotal, vramFree, api: 'cuda' as const })
const ledgerOf = async (hardware: HardwareOverrides) => new ResourceLedger(await detectHardware({ gpus: [], ...hardware }))
const machine = { ramTotal: 100 * gigabyte, ramFree: 50 * gigabyte }

test('each GPU is a pool of its own: the one with the most free is taken, and pinning is kept', async () => {
  const ledger = await ledgerOf({ ...machine, gpus: [gpu(8 * gigabyte), gpu(24 * gigabyte)] })
  ledger.reserve('a', { ram: 0, vram: 20 * gigabyte })
  expect(ledger.deviceOf('a')).toBe('gpu:1')
  expect(ledger.capacity.vram).toBe(8 * gigabyte)
  ledger.reserve('b', { ram: 0, vram: 6 * gigabyte })
  expect(ledger.deviceOf('b')).toBe('gpu:0')
  ledger.reserve('c', { ram: 0, vram: 2 * gigabyte, device: 'gpu:0' })
  expect(ledger.deviceOf('c')).toBe('gpu:0')
  expect(() => ledger.reserve('d', { ram: 0, vram: 1 * gigabyte, device: 'gpu:0' })).toThrow(
    'Module requires 1024MB VRAM, only 0MB available',
  )
  ledger.reserve('c', { ...ledger.of('c'), vram: 1 * gigabyte })
  expect(ledger.deviceOf('c')).toBe('gpu:0')
})

test('a module on the CPU holds no GPU memory, one pinned to a GPU that is not there is refused', async () => {
  const ledger = await ledgerOf({ ...machine, gpus: [gpu(8 * gigabyte)] })
  ledger.reserve('a', { ram: gigabyte, vram: 4 * gigabyte, device: 'cpu' })
  expect(ledger.heldBy('a')).toEqual({ ram: gigabyte, vram: 0 })
  expect(() => ledger.reserve('b', { ram: 0, vram: 1, device: 'gpu:3' })).toThrow(
    'Module requires gpu:3, but this machine has gpu:0. Take another device',
  )
  const without = await ledgerOf(machine)
  expect(() => without.reserve('b', { ram: 0, vram: 1 })).toThrow('Module requires a GPU, but this machine has none')
})

test('in unified memory both kinds must fit together', async () => {
  const ledger = await ledgerOf({ ramTotal: 16 * gigabyte, ramFree: 10 * gigabyte, gpus: [gpu(0)], unifiedMemory: true })
  expect(() => ledger.reserve('a', { ram: 6 * gigabyte, vram: 6 * gigabyte })).toThrow('requires 12288MB RAM, only 10240MB')
  ledger.reserve('a', { ram: 4 * gigabyte, vram: 6 * gigabyte })
  expect(ledger.pools().map(({ name, held }) => [name, held])).toEqual([['unified', 10 * gigabyte]])
})

test('what a module reports takes the place of what it reserved', async () => {
  const ledger = await ledgerOf({ ramTotal: 10 * gigabyte, ramFree: 10 * gigabyte })
  ledger.reserve('a', { ram: 4 * gigabyte, vram: 0 })
  ledger.markUsed('a')
  expect(ledger.reconcile('a', { ram: 4 * gigabyte + 1000 })).toBeUndefined()
  expect(ledger.reconcile('a', { ram: gigabyte })).toMatchObject({ module: 'a', after: { ram: gigabyte, vram: 0 } })
  expect(ledger.of('a').ram).toBe(4 * gigabyte)
  expect(ledger.capacity.ram).toBe(Math.floor(9.5 * gigabyte - gigabyte))
  expect(ledger.reconcile('silent', { ram: 2 * gigabyte })).toMatchObject({ before: { ram: 0, vram: 0 } })
  expect(ledger.pools()[0]!.held).toBe(3 * gigabyte)
  expect(ledger.reconcile('a', { ram: 20 * gigabyte })).toBeDefined()
  expect(ledger.capacity.ram).toBe(0)
  ledger.release('a')
  ledger.release('silent')
  expect(ledger.pools()[0]!.held).toBe(0)
})

test('reports that are no amounts change nothing, estimates that are none are refused', async () => {
  const ledger = await ledgerOf(machine)
  ledger.reserve('a', { ram: gigabyte, vram: 0 })
  for (const ram of [-1, Number.NaN, Number.POSITIVE_INFINITY, 'much' as unknown as number, undefined as unknown as number]) {
    expect(ledger.reconcile('a', { ram })).toBeUndefined()
    expect(() => ledger.reserve('a', { ram, vram: 0 })).toThrow("Module 'a' asks for ram: ")
    expect(ledger.heldBy('a').ram).toBe(gigabyte)
  }
})

test('pressure is told when the level changes, and not while it hovers', async () => {
  const ledger = await ledgerOf({ ramTotal: 100 * gigabyte, ramFree: 100 * gigabyte })
  const told = (share: number) => {
    ledger.release('a')
    ledger.reconcile('a', { ram: share * gigabyte })
    return ledger.pressure().map(({ name, level }) => `${name} ${level}`)
  }
  expect([50, 76, 74, 72, 95, 89, 80, 10].map(told)).toEqual([
    [],
    ['ram warning'],
    [],
    ['ram normal'],
    ['ram critical'],
    [],
    ['ram warning'],
    ['ram normal'],
  ])
})

test('memory that others use counts for the level', async () => {
  const ledger = await ledgerOf({ ramTotal: 10 * gigabyte, ramFree: 0.5 * gigabyte })
  expect(ledger.pressure().map(({ level }) => level)).toEqual(['critical'])
  expect([levelAt(0.75), levelAt(0.7501), levelAt(0.9), levelAt(0.9001)]).toEqual(['normal', 'warning', 'warning', 'critical'])
})

test('whatever is reserved, taken, reported and released: sums match, and nothing is negative', async () => {
  const amount = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.double({ min: -5, max: 60 }), fc.constant(Number.NaN))
  const module = fc.constantFrom('a', 'b', 'c', 'd')
  const device = fc.constantFrom('auto', 'cpu', 'gpu:0', 'gpu:1', 'gpu:7', undefined)
  const step = fc.oneof(
    fc.record({ what: fc.constant('reserve' as const), module, ram: amount, vram: amount, device }),
    fc.record({ what: fc.constant('reconcile' as const), module, ram: amount, vram: amount }),
    fc.record({ what: fc.constantFrom('release' as const, 'markUsed' as const), module }),
  )
  const machines = await Promise.all(
    [{ gpus: [] }, { gpus: [gpu(50)] }, { gpus: [gpu(50), gpu(30, 20)] }, { gpus: [gpu(0)], unifiedMemory: true }].map((given) =>
      detectHardware({ ramTotal: 100, ramFree: 90, ...given }),
    ),
  )
  fc.assert(
    fc.property(fc.constantFrom(...machines), fc.array(step, { maxLength: 60 }), (hardware, steps) => {
      const ledger = new ResourceLedger(hardware)
      for (const each of steps) {
        const before = ledger.list()
        try {
          if (each.what === 'reserve')
            ledger.reserve(each.module, { ...each, ...(each.device && { device: each.device as 'auto' }) } as never)
          else if (each.what === 'reconcile') ledger.reconcile(each.module, each)
          else ledger[each.what](each.module)
        } catch (error) {
          expect(error).toBeInstanceOf(ModuleError)
          expect(new Set(ledger.list().map((entry) => JSON.stringify(entry)))).toEqual(
            new Set(before.map((entry) => JSON.stringify(entry))),
          )
        }
        const entries = ledger.list()
        const pools = ledger.pools()
        const total = pools.reduce((sum, { held }) => sum + held, 0)
        expect(total).toBe(entries.reduce((sum, { ram, vram }) => sum + ram + vram, 0))
        for (const pool of pools) {
          const own = entries
            .map(
              (entry) =>
                (pool.name.startsWith('gpu:') ? 0 : entry.ram) + (ledger.deviceOf(entry.module) === pool.name ? entry.vram : 0),
            )
            .reduce((sum, bytes) => sum + bytes, 0)
          expect(pool.held).toBe(own)
          expect(pool.available).toBeGreaterThanOrEqual(0)
          expect(pool.share >= 0 && pool.share <= 1).toBe(true)
        }
      }
      for (const id of ['a', 'b', 'c', 'd']) ledger.release(id)
      expect(ledger.list()).toEqual([])
      expect(ledger.pools().every(({ held }) => held === 0)).toBe(true)
    }),
    { numRuns: process.env.ENIGMA_SOAK ? 10_000 : 500 },
  )
})
