/** New code for a module that holds 1 MiB: `manager.reload`, and what `import()` with a new query leaves behind. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const code = (version) => `const held = new Uint8Array(2 ** 20).fill(${version % 256})
const words = Array.from({ length: 1000 }, (_, i) => 'word ' + i)
export default { load: () => ({ version: () => ${version}, held: () => held.length + words.length }) }
`

async function folder() {
  const path = await mkdtemp(join(tmpdir(), 'enigma-leaks-'))
  await writeFile(join(path, 'package.json'), '{"type":"module"}')
  await writeFile(join(path, 'module.yaml'), 'id: reloaded\nversion: 1.0.0\nentry: ./index.js\n')
  let version = 0
  const write = () => writeFile(join(path, 'index.js'), code(++version))
  await write()
  return { path, write, current: () => version, close: () => rm(path, { recursive: true }) }
}

function check(api, version) {
  if (api.version() !== version || api.held() !== 2 ** 20 + 1000) throw new Error('the new code is not the one that serves')
}

async function enigma() {
  const { ModuleManager } = await import('@enigma/kernel')
  const { path, write, current, close } = await folder()
  const manager = await ModuleManager.open({ modules: [path] })
  await manager.load('reloaded')
  const api = manager.getInterface('reloaded')
  return {
    async cycle() {
      await write()
      await manager.reload('reloaded')
      check(api, current())
    },
    close,
  }
}

async function importQuery() {
  const { path, write, current, close } = await folder()
  return {
    async cycle() {
      await write()
      const { default: module } = await import(`${pathToFileURL(join(path, 'index.js')).href}?v=${current()}`)
      check(module.load(), current())
    },
    close,
  }
}

export const subjects = { enigma, "import('?v')": importQuery }
