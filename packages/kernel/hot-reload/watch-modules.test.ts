import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EventBus } from '../events/events.js'
import { manifest, temporaryFolder } from '../testing/build.js'
import { type ModuleWatch, watchModules } from './watch-modules.js'

let root: ReturnType<typeof temporaryFolder>
let watch: ModuleWatch | undefined
beforeEach(() => {
  root = temporaryFolder({
    'one/module.yaml': 'id: one',
    'one/index.js': '',
    'one/README.md': '',
    'one/tests/a.test.js': '',
    'two/dist/index.js': '',
    'two/index.ts': '',
  })
})
afterEach(async () => {
  await watch?.close()
  watch = undefined
  root.remove()
})

const write = (name: string, text = String(Math.random())) => writeFileSync(join(root.path, name), text)

/** Watches both modules; `next()` answers with the next reload. */
async function watching(reload: (id: string) => Promise<unknown> = async () => undefined) {
  const bus = new EventBus()
  const seen: string[] = []
  const waiting: ((id: string) => void)[] = []
  const tell = (id: string) => {
    const next = waiting.shift()
    if (next) next(id)
    else seen.push(id)
  }
  const modules = [
    { manifest: manifest('one', { entry: './index.js' }), folder: join(root.path, 'one') },
    { manifest: manifest('two'), folder: join(root.path, 'two') },
  ]
  const told = async (id: string) => {
    tell(id)
    await reload(id)
  }
  watch = await watchModules(modules, told, bus)
  const next = () => new Promise<string>((resolve) => (seen.length > 0 ? resolve(seen.shift()!) : waiting.push(resolve)))
  return { bus, next, seen }
}

describe('watchModules', () => {
  it('reloads the module whose file changed: code, manifest, a new file, one renamed over another', async () => {
    const { next } = await watching()
    expect(watch!.modules).toEqual(['one', 'two'])
    write('one/index.js')
    expect(await next()).toBe('one')
    write('two/index.ts')
    expect(await next()).toBe('two')
    write('one/module.yaml')
    expect(await next()).toBe('one')
    mkdirSync(join(root.path, 'two/lib'))
    write('two/lib/new.ts')
    expect(await next()).toBe('two')
    write('one/index.js.tmp')
    renameSync(join(root.path, 'one/index.js.tmp'), join(root.path, 'one/index.js'))
    expect(await next()).toBe('one')
  })

  it('leaves tests, prose, packages and what is built from watched sources alone', async () => {
    mkdirSync(join(root.path, 'one/node_modules'))
    const { next, seen } = await watching()
    write('one/README.md')
    write('one/tests/a.test.js')
    write('one/node_modules/x.js')
    write('two/dist/index.js')
    write('one/index.js')
    expect(await next()).toBe('one')
    write('two/index.ts')
    expect(await next()).toBe('two')
    expect(seen).toEqual([])
  })

  it('tells of a reload that failed, and goes on', async () => {
    let fail = true
    const { bus, next } = await watching(async () => {
      if (fail) throw new Error('does not compile')
    })
    const failure = new Promise((resolve) => bus.on('module.reload-failed', resolve))
    write('one/index.js')
    expect(await failure).toEqual({ id: 'one', message: 'does not compile' })
    expect(await next()).toBe('one')
    fail = false
    write('one/index.js')
    expect(await next()).toBe('one')
  })
})
