import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Place } from './enigma.test.fixture.js'

interface Row {
  readonly name: string
  readonly parameters: number
  readonly memory: { readonly inference: number; readonly training: number }
  readonly fits: { readonly inference: boolean; readonly training: boolean }
}

let place: Place
beforeAll(async () => {
  place = await Place.make()
})
afterAll(() => place[Symbol.asyncDispose]())

describe('models presets', () => {
  it('gives all 15 with their true parameter counts, memory, and whether they fit', async () => {
    const rows = await place.json<Row[]>(['models', 'presets'])
    expect(rows).toHaveLength(15)
    expect(rows[0]).toMatchObject({ name: 'nano', parameters: 1_811_584 })
    expect(rows[14]).toMatchObject({ name: 'omega', parameters: 45_230_858_240 })
    for (const { memory, parameters } of rows) expect(memory.training).toBeGreaterThan(memory.inference + parameters)
    expect(rows[0]!.fits).toEqual({ inference: true, training: true })
  })

  it('counts for another vocabulary', async () => {
    const rows = await place.json<Row[]>(['models', 'presets', '--vocab-size', '32000'])
    expect(rows.find(({ name }) => name === 'tiny')!.parameters).toBe(12_619_008)
  })

  it('prints a table for people', async () => {
    const { stdout } = await place.run(['models', 'presets'])
    expect(stdout).toMatch(/^nano +1,811,584 /m)
    expect(stdout).toMatch(/^omega +45,230,858,240 /m)
    expect(stdout).not.toContain('\x1b')
  })
})

describe('hardware', () => {
  it('tells cores and memory', async () => {
    const found = await place.json<{ cpuCores: number; ramTotal: number }>(['hardware'])
    expect(found.cpuCores).toBeGreaterThan(0)
    expect(found.ramTotal).toBeGreaterThan(1e8)
  })
})
