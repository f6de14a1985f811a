import { randomUUID } from 'node:crypto'
import { existsSync, lstatSync } from 'node:fs'
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { ModuleError, type ModuleInfo } from '@enigma/kernel'
import { daemon } from './daemon.js'
import type { Example } from './example.js'
import { javascriptModule } from './javascript-module.js'
import { plugin } from './plugin.js'
import { pythonModule } from './python-module.js'
import { service } from './service.js'
import { typescriptModule } from './typescript-module.js'

// `enigma modules new`: a module that works, in a folder of its own.

const examples: Readonly<Record<ModuleInfo['kind'], Example>> = { service, daemon, plugin }
const templates = { js: javascriptModule, ts: typescriptModule, python: pythonModule }

export interface ScaffoldOptions {
  readonly id: string
  /** Default `plugin`. */
  readonly kind?: ModuleInfo['kind']
  /** Default `js`, which needs no build. */
  readonly language?: keyof typeof templates
  /** The folder that gets the module's folder. Default: where the process runs. */
  readonly parent?: string
}

/** The longest id: a folder's name, with room for what is put beside it. */
const longest = 64

/**
 * Writes a new module to `<parent>/<id>`, whole or not at all. Its own tests pass: where `enigma` is not to be found from there,
 * its `node_modules` gets a link to the one that runs (`linked`).
 * @throws ModuleError `BAD_ID` with an id that would do, `FOLDER_EXISTS`
 */
export async function scaffoldModule(
  options: ScaffoldOptions,
): Promise<{ folder: string; files: readonly string[]; linked: string | undefined }> {
  const { id, kind = 'plugin', language = 'js', parent = '.' } = options
  checkId(id)
  const folder = resolve(parent, id)
  if (lstatSync(folder, { throwIfNoEntry: false })) {
    throw new ModuleError('FOLDER_EXISTS', `${folder} exists already. Choose another id, or another folder with --dir.`, {
      module: id,
    })
  }
  const files = templates[language]({ id, kind, example: examples[kind] })
  const made = await firstMissing(dirname(folder))
  const aside = join(dirname(folder), `.${id}.${randomUUID().slice(0, 8)}`)
  let linked: string | undefined
  try {
    // By itself: where nothing can be made, as in /proc, Node 20's recursive mkdir never ends.
    if (made !== undefined) await mkdir(made)
    for (const [name, text] of Object.entries(files)) {
      const path = join(aside, name)
      await mkdir(dirname(path), { recursive: true })
      await writeFile(path, text)
    }
    linked = await linkHost(aside)
    await rename(aside, folder)
  } catch (error) {
    await rm(made ?? aside, { recursive: true, force: true })
    throw error
  }
  return { folder, files: Object.keys(files), linked }
}

/** As `npm link enigma` does. Returns where the link leads, undefined where Node finds the package anyway. */
async function linkHost(folder: string): Promise<string | undefined> {
  try {
    createRequire(join(folder, 'module.yaml')).resolve('enigma/package.json')
    return undefined
  } catch {
    const host = dirname(createRequire(import.meta.url).resolve('enigma/package.json'))
    await mkdir(join(folder, 'node_modules'))
    await symlink(host, join(folder, 'node_modules', 'enigma'), 'junction')
    return host
  }
}

function checkId(id: string): void {
  if (/^[a-z0-9][a-z0-9-]*$/.test(id) && id.length <= longest) return
  const near = id
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, longest)
    .replace(/^-+|-+$/g, '')
  const rule = `An id is lower-case letters, digits and '-', at most ${longest} of them, and begins with a letter or digit`
  throw new ModuleError('BAD_ID', `'${id}' is no module id. ${rule}${near === '' ? '.' : `: '${near}' would do.`}`)
}

/** The highest folder on the way to `path` that is not there: what a failure has to take away again. */
async function firstMissing(path: string): Promise<string | undefined> {
  return existsSync(path) ? undefined : ((await firstMissing(dirname(path))) ?? path)
}
