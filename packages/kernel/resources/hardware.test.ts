import { availableParallelism, totalmem } from 'node:os'
import { expect, test } from 'vitest'
import { gigabyte } from '../testing/build.js'
import { detectHardware } from './hardware.js'
import { ResourceLedger } from './ledger.js'

test('the machine is described within its own bounds', async () => {
  const { profile } = await detectHardware()
  expect(profile.cpuCores).toBeGreaterThanOrEqual(1)
  expect(profile.cpuCores).toBeLessThanOrEqual(availableParallelism())
  expect(profile.ramTotal).toBeLessThanOrEqual(totalmem())
  expect(profile.ramFree).toBeLessThanOrEqual(profile.ramTotal)
  expect(profile.ramFree).toBeGreaterThan(0)
  expect(profile.gpu_available).toBe(profile.gpus.length > 0)
})

test('a smaller total caps what counts as free', async () => {
  const { profile } = await detectHardware({ ramTotal: 0.25 * gigabyte, gpus: [] })
  expect(profile.ramFree).toBeLessThanOrEqual(0.25 * gigabyte)
})

test('a reservation that is not taken yet counts against free memory, one that is taken against the total only', async () => {
  const ledger = new ResourceLedger(await detectHardware({ ramTotal: 100 * gigabyte, ramFree: 10 * gigabyte, gpus: [] }))
  ledger.reserve('a', { ram: 4 * gigabyte, vram: 0 })
  expect(ledger.capacity.ram).toBe(6 * gigabyte)
  ledger.markUsed('a')
  expect(ledger.capacity.ram).toBe(10 * gigabyte)
  ledger.reserve('b', { ram: 10 * gigabyte, vram: 0 })
  expect(() => ledger.reserve('c', { ram: 1, vram: 0 })).toThrow('Module requires 0MB RAM, only 0MB available')
  ledger.release('a')
  ledger.release('b')
  expect(ledger.capacity.ram).toBe(10 * gigabyte)
  expect(ledger.list()).toEqual([])
})

test('a reservation that is raised in vain stays as it was', async () => {
  const ledger = new ResourceLedger(await detectHardware({ ramTotal: 10 * gigabyte, ramFree: 8 * gigabyte, gpus: [] }))
  ledger.reserve('a', { ram: 4 * gigabyte, vram: 0 })
  expect(() => ledger.reserve('a', { ram: 9 * gigabyte, vram: 0 })).toThrow('Module requires 9216MB RAM, only 8192MB available')
  expect(ledger.of('a').ram).toBe(4 * gigabyte)
  expect(ledger.capacity.ram).toBe(4 * gigabyte)
})

test('unified memory is one pool', async () => {
  const gpus = [{ name: 'M3', vramTotal: 0, vramFree: 0, api: 'metal' as const }]
  const ledger = new ResourceLedger(
    await detectHardware({ ramTotal: 20 * gigabyte, ramFree: 10 * gigabyte, gpus, unifiedMemory: true }),
  )
  expect(ledger.capacity).toEqual({ ram: 10 * gigabyte, vram: 10 * gigabyte, gpu: true, unified: true })
  ledger.reserve('a', { ram: 1 * gigabyte, vram: 4 * gigabyte })
  expect(ledger.capacity.ram).toBe(5 * gigabyte)
  expect(ledger.capacity.vram).toBe(5 * gigabyte)
})
