import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { openApart } from '../../testing/apart.js'
import { temporaryFolder } from '../../testing/build.js'
import { limitMemory } from './limit-memory.js'

// Modules compiled by AssemblyScript, loaded as users load them.

const source = `
export function alloc(length: i32): usize { return heap.alloc(length) }
export function add(a: f64, b: f64): f64 { return a + b }
export function big(a: i64): i64 { return a + 1 }
// Gives back what it was given.
export function json_echo(pointer: usize, length: i32): u64 { return ((pointer as u64) << 32) | (length as u64) }
export function json_wild(pointer: usize, length: i32): u64 { return 0xffffffff00000010 }
export function json_garbage(pointer: usize, length: i32): u64 { store<u8>(pointer, 0xff); return ((pointer as u64) << 32) | 1 }
export function spin(): void { for (;;) {} }
export function deep(n: i32): i32 { return n == 0 ? 0 : deep(n - 1) + 1 }
export function grow(pages: i32): i32 { return memory.grow(pages) }
export function fail(): void { throw new Error('as written') }
let calls = 0
export function count(): i32 { return ++calls }
`
const importing = `@external('host', 'readFile') declare function readFile(): i32
export function steal(): i32 { return readFile() }`

let compiled: Buffer
let importer: Buffer
const work = temporaryFolder({ 'main.ts': source, 'importing.ts': importing })
beforeAll(() => {
  compiled = compile('main')
  importer = compile('importing')
})
afterAll(() => work.remove())

function compile(name: string): Buffer {
  const asc = join(dirname(createRequire(import.meta.url).resolve('assemblyscript/package.json')), 'bin/asc.js')
  const args = [asc, join(work.path, `${name}.ts`), '--outFile', join(work.path, `${name}.wasm`), '--runtime', 'stub']
  execFileSync(process.execPath, args, { cwd: work.path })
  return readFileSync(join(work.path, `${name}.wasm`))
}

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of open.splice(0)) await one.close()
})

type Api = Readonly<Record<string, (...args: unknown[]) => Promise<unknown>>>

async function start(bytes: Uint8Array, manifest = {}) {
  const made = await openApart([
    {
      manifest: { id: 'pure', runtime: 'wasm', entry: './main.wasm', lifecycle: { heartbeat: '300ms' }, ...manifest },
      files: { 'main.wasm': '' },
    },
  ])
  open.push(made)
  writeFileSync(join(made.folder, 'pure/main.wasm'), bytes)
  return made.manager
}

async function load(bytes: Uint8Array, manifest = {}): Promise<Api> {
  const manager = await start(bytes, manifest)
  await manager.load('pure')
  return manager.getInterface<Api>('pure')
}

test('exported functions are methods: numbers as they are, anything else as JSON', async () => {
  const api = await load(compiled)
  expect(await api.add!(1.5, 2)).toBe(3.5)
  expect(await api.big!(2n ** 40n)).toBe(2n ** 40n + 1n)
  expect(await api.echo!({ text: 'Grüße', list: [1, null] }, true)).toEqual([{ text: 'Grüße', list: [1, null] }, true])
  await expect(api.add!('1', 2)).rejects.toThrow("Argument 1 is a string; 'add' takes numbers")
  expect(api.alloc).toBeUndefined()
})

test('what fails fails alone: the next call has a fresh instance', async () => {
  const api = await load(compiled)
  expect([await api.count!(), await api.count!()]).toEqual([1, 2])
  await expect(api.fail!()).rejects.toThrow('as written')
  expect(await api.count!()).toBe(1)
  await expect(api.deep!(1e9)).rejects.toThrow('call stack')
  await expect(api.wild!()).rejects.toThrow('outside of its memory')
  await expect(api.garbage!()).rejects.toThrow()
  expect(await api.add!(1, 1)).toBe(2)
})

test('a call that does not end is given up after its time, and others wait their turn', async () => {
  const api = await load(compiled)
  const [spinning, next] = [api.spin!(), api.add!(1, 2)]
  await expect(spinning).rejects.toMatchObject({ code: 'TIMEOUT', message: expect.stringContaining("'spin' of module 'pure'") })
  expect(await next).toBe(3)
})

test('a signal as the last argument ends a call', async () => {
  const api = await load(compiled, { lifecycle: { heartbeat: '30s' } })
  const controller = new AbortController()
  const spinning = api.spin!(controller.signal)
  setTimeout(() => controller.abort(new Error('enough')), 20)
  await expect(spinning).rejects.toThrow('enough')
  expect(await api.add!(1, 2)).toBe(3)
})

test('memory ends at resources.ram', async () => {
  const api = await load(compiled, { resources: { ram: '1MB' } })
  expect(await api.grow!(4)).toBeGreaterThanOrEqual(0)
  expect(await api.grow!(16)).toBe(-1)
})

test('an import is refused by name, and what is no WebAssembly too', async () => {
  const manager = await start(importer)
  await expect(manager.load('pure')).rejects.toMatchObject({ message: expect.stringContaining('imports host.readFile') })
  const other = await start(Buffer.from('not wasm'))
  await expect(other.load('pure')).rejects.toMatchObject({ code: 'BAD_MODULE' })
})

test('after unload its calls are refused', async () => {
  const manager = await start(compiled)
  await manager.load('pure')
  const { add } = manager.getInterface<Api>('pure')
  const spinning = manager.getInterface<Api>('pure').spin!().catch((error: unknown) => error)
  await manager.unload('pure')
  expect(await spinning).toMatchObject({ code: 'SERVICE_GONE' })
  expect(() => add!(1, 2)).toThrow(expect.objectContaining({ code: 'SERVICE_GONE' }))
})

test('a limited module is valid again, whatever its size of memory', () => {
  // (module (memory min [max]))
  const module = (min: number, max?: number) =>
    Uint8Array.from([
      0,
      97,
      115,
      109,
      1,
      0,
      0,
      0,
      5,
      max === undefined ? 3 : 4,
      1,
      max === undefined ? 0 : 1,
      min,
      ...(max === undefined ? [] : [max]),
    ])
  fc.assert(
    fc.property(
      fc.nat(100),
      fc.option(fc.nat(27), { nil: undefined }),
      fc.integer({ min: 100, max: 65_536 }),
      (min, more, pages) => {
        const limited = limitMemory('a', module(min, more === undefined ? undefined : min + more), pages)
        expect(WebAssembly.validate(limited)).toBe(true)
        const memory = limitMemory('a', limited, pages)
        expect(memory).toEqual(limited)
      },
    ),
    { numRuns: 200 },
  )
  expect(() => limitMemory('a', module(100), 16)).toThrow(expect.objectContaining({ code: 'NO_RAM' }))
})
