import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { cp, link, lstat, mkdir, readdir, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { discover } from '../discovery/discovery.js'
import { entryPath } from '../discovery/entry.js'
import { ModuleError, messageOf } from '../errors.js'
import type { Manifest } from '../manifest/manifest.js'
import { ManifestReader } from '../manifest/manifest-read.js'
import { type Consent, growthOf, type Permissions, permissionsOf, readConsents, writeConsents } from './consents.js'
import { type Fingerprint, fingerprintOf } from './fingerprint.js'
import { confinedRuntime } from './gate.js'
import { type Fetch, type FetchOptions, fetchWithNpm } from './npm.js'
import { sourceOf } from './source.js'

// Adding, updating and removing modules of third parties. Each lives with its packages in a folder of its own, `<home>/<id>`, and
// gets there by a rename: what fails, is refused or is interrupted leaves everything as it was.

export interface StageOptions extends FetchOptions {
  /** Let it run as its manifest says, inside the program. Default: in a process of its own. */
  readonly trust?: boolean
}

/** A module that was fetched and read, and is not installed yet. Dispose it when it is not to be. */
export interface StagedModule extends AsyncDisposable {
  /** As it would run. */
  readonly manifest: Manifest
  readonly source: string
  /** The consent it replaces. */
  readonly before: Consent | undefined
  /** What it asks for beyond that, in words; all permissions when it is new. */
  readonly growth: readonly string[]
  /** Whether it is, file for file, what is installed, and runs the same way. */
  readonly unchanged: boolean
  /** Puts it in place and records the consent. @throws ModuleError `INSTALL_FAILED`; then the earlier one is still there */
  install(): Promise<Consent>
}

export class ModuleInstaller {
  readonly #home: string
  readonly #fetch: Fetch

  /** @param home folder of installed modules, made when needed */
  constructor(home: string, fetch: Fetch = fetchWithNpm) {
    this.#home = home
    this.#fetch = fetch
  }

  /**
   * Fetches a module beside the installed ones and reads its manifest; none of its code runs.
   * @param typed an npm name with an optional range, a folder or a tarball
   * @param taken where an id that this may not have is from, if it is
   * @throws ModuleError `INSTALL_FAILED`, `BAD_MANIFEST`, `PATH_ESCAPE`, `ENTRY_MISSING`, `DUPLICATE_ID`, `CANCELLED`
   */
  async stage(
    typed: string,
    options: StageOptions & { cwd?: string; taken?: (id: string) => string | undefined } = {},
  ): Promise<StagedModule> {
    const folder = join(this.#home, `.staging-${process.pid}-${randomUUID().slice(0, 8)}`)
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      return await this.#examine(typed, folder, options)
    } catch (error) {
      await rm(folder, { recursive: true, force: true })
      throw error instanceof ModuleError
        ? error
        : new ModuleError('INSTALL_FAILED', `${typed}: ${messageOf(error)}`, { cause: error })
    }
  }

  /** As `stage`, from where the installed one came. @throws ModuleError `NOT_REGISTERED` too */
  async stageUpdate(id: string, options: StageOptions = {}): Promise<StagedModule> {
    const consent = await this.#require(id)
    const staged = await this.stage(consent.source, { trust: consent.trusted, ...options })
    if (staged.manifest.id === id) return staged
    await staged[Symbol.asyncDispose]()
    const message = `${consent.source} is now module '${staged.manifest.id}', not '${id}'. Remove '${id}', and add the other if you want it.`
    throw new ModuleError('INSTALL_FAILED', message, { module: id })
  }

  /** Takes a module away with its packages and its consent. @throws ModuleError `NOT_REGISTERED` */
  async remove(id: string): Promise<Consent> {
    const consent = await this.#require(id)
    return this.#alone(async () => {
      const consents = new Map(await readConsents(this.#home))
      consents.delete(id)
      // The consent goes first: what is left without one is never run.
      await writeConsents(this.#home, consents)
      await rm(join(this.#home, id), { recursive: true, force: true })
      return consent
    })
  }

  async list(): Promise<readonly Consent[]> {
    return [...(await readConsents(this.#home)).values()]
  }

  async #examine(
    typed: string,
    staging: string,
    {
      trust = false,
      cwd = process.cwd(),
      taken,
      ...options
    }: StageOptions & { cwd?: string; taken?: (id: string) => string | undefined },
  ): Promise<StagedModule> {
    const source = sourceOf(typed, cwd)
    // Without a name npm takes the folder's, and no two installations would be alike.
    await writeFile(join(staging, 'package.json'), '{ "name": "added", "private": true }\n')
    const place = join(staging, 'node_modules')
    if (source.kind === 'folder' && !source.packed)
      await cp(source.spec, join(place, 'module'), { recursive: true, verbatimSymlinks: true })
    else await this.#fetch(source.spec, staging, options)
    const folder = await realpath(
      join(place, source.kind === 'folder' && !source.packed ? 'module' : await onlyDependency(staging)),
    )
    const root = await realpath(staging)
    if (!folder.startsWith(root + sep)) throw new ModuleError('PATH_ESCAPE', `${typed} is installed as a link to ${folder}.`)
    if (!existsSync(join(folder, 'module.yaml')))
      throw new ModuleError('INSTALL_FAILED', `${typed} has no module.yaml: it is no module of Enigma.`)
    const written = await readManifest(folder, root)
    await refuseWaysOut(root, root)
    const where = taken?.(written.id)
    if (where !== undefined) {
      const message = `${typed} is a module '${written.id}', and there is one already, from ${where}. Only one can have the name.`
      throw new ModuleError('DUPLICATE_ID', message, { module: written.id })
    }
    const manifest = trust ? written : { ...written, runtime: confinedRuntime(written.runtime) }
    const before = (await readConsents(this.#home)).get(written.id)
    const target = join(this.#home, written.id)
    if (before === undefined && existsSync(join(target, 'module.yaml')))
      throw new ModuleError('DUPLICATE_ID', `${target} was put there by hand. Remove it first.`, { module: written.id })
    const fingerprint = await fingerprintOf(root, { all: true })
    const asked = permissionsOf(written)
    return {
      manifest,
      source: source.spec,
      before,
      growth: [...growthOf(before?.permissions ?? nothing, asked), ...moved(before, written)],
      unchanged: before !== undefined && before.trusted === trust && (await isInPlace(target, before, fingerprint)),
      install: () => {
        const consent: Consent = {
          id: manifest.id,
          source: source.spec,
          version: manifest.version,
          fingerprint,
          folder: relative(root, folder).split(sep).join('/'),
          permissions: asked,
          runtime: manifest.runtime,
          trusted: trust,
          at: new Date().toISOString(),
        }
        return this.#alone(() => this.#install(root, consent))
      },
      [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
    }
  }

  async #install(staging: string, consent: Consent): Promise<Consent> {
    const target = join(this.#home, consent.id)
    const old = join(this.#home, `.old-${consent.id}`)
    try {
      await sameFiles(staging, consent.fingerprint)
      const consents = new Map(await readConsents(this.#home)).set(consent.id, consent)
      await rm(old, { recursive: true, force: true })
      if (existsSync(target)) await rename(target, old)
      await rename(staging, target)
      await writeConsents(this.#home, consents)
    } catch (error) {
      // Back to what was: the tidying of the next call does the same after a crash.
      if (existsSync(old)) {
        await rm(target, { recursive: true, force: true })
        await rename(old, target)
      } else if (!(await readConsents(this.#home)).has(consent.id)) await rm(target, { recursive: true, force: true })
      await rm(staging, { recursive: true, force: true })
      throw error instanceof ModuleError ? error : new ModuleError('INSTALL_FAILED', messageOf(error), { cause: error })
    }
    await rm(old, { recursive: true, force: true })
    return consent
  }

  /** One process at a time changes what is installed; a lock that a dead one left is taken over. */
  async #alone<T>(work: () => Promise<T>): Promise<T> {
    const lock = join(this.#home, '.lock')
    // Linked, so that the lock has its owner in it from the first moment.
    const mine = `${lock}-${process.pid}-${randomUUID().slice(0, 8)}`
    for (;;) {
      try {
        await mkdir(this.#home, { recursive: true, mode: 0o700 })
        await writeFile(mine, String(process.pid))
        await link(mine, lock).finally(() => rm(mine))
        break
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST')
          throw new ModuleError('INSTALL_FAILED', messageOf(error), { cause: error })
        const pid = Number(await readFile(lock, 'utf8').catch(() => ''))
        if (pid > 0 && isRunning(pid)) {
          const message = `Process ${pid} is changing the installed modules (${lock}). Try again when it is done.`
          throw new ModuleError('INSTALL_FAILED', message, { cause: error })
        }
        await rm(lock, { force: true })
      }
    }
    try {
      await this.#tidy()
      return await work()
    } finally {
      await rm(lock, { force: true })
    }
  }

  /** Undoes what an interrupted call left: staged folders of processes that are gone, and a move that was not finished. */
  async #tidy(): Promise<void> {
    for (const name of await readdir(this.#home)) {
      const pid = /^\.staging-(\d+)-/.exec(name)?.[1]
      if (pid !== undefined && !isRunning(Number(pid))) await rm(join(this.#home, name), { recursive: true, force: true })
      const id = /^\.old-(.+)$/.exec(name)?.[1]
      if (id === undefined) continue
      const [old, target] = [join(this.#home, name), join(this.#home, id)]
      const consent = (await readConsents(this.#home)).get(id)
      const finished = existsSync(target) && consent !== undefined && (await matches(target, consent.fingerprint))
      if (!finished) {
        await rm(target, { recursive: true, force: true })
        await rename(old, target)
      } else await rm(old, { recursive: true, force: true })
    }
  }

  async #require(id: string): Promise<Consent> {
    const consents = await readConsents(this.#home)
    const consent = consents.get(id)
    if (consent) return consent
    const there = [...consents.keys()].join(', ') || 'none'
    throw new ModuleError('NOT_REGISTERED', `No module '${id}' was added; those that were: ${there}.`, { module: id })
  }
}

async function readManifest(folder: string, root: string): Promise<Manifest> {
  const [found] = await discover([folder], new ManifestReader())
  const { result, file } = found!
  // The place it was staged in means nothing to the reader of the message.
  if (!result.ok)
    throw new ModuleError(result.error.code, result.error.message.replaceAll(file, 'module.yaml'), { line: result.error.line })
  const { id, runtime, entry, contributes } = result.manifest
  try {
    if (runtime !== 'remote') entryPath(id, folder, entry)
    for (const command of contributes.commands) entryPath(id, folder, command.entry)
  } catch (error) {
    if (!(error instanceof ModuleError)) throw error
    throw new ModuleError(error.code, error.message.replaceAll(root, '…'), { module: id })
  }
  return result.manifest
}

const nothing: Permissions = { fs: [], net: [], child: false, cloud: false, program: false }

/** What was agreed to of one runtime says nothing of another, whatever the permissions. */
function moved(before: Consent | undefined, { runtime }: Manifest): string[] {
  const next = confinedRuntime(runtime)
  return before === undefined || confinedRuntime(before.runtime) === next ? [] : [`running as '${next}', not '${before.runtime}'`]
}

async function onlyDependency(folder: string): Promise<string> {
  const { dependencies = {} } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
    dependencies?: Readonly<Record<string, string>>
  }
  const [name] = Object.keys(dependencies)
  if (name === undefined) throw new Error('npm installed nothing')
  return name
}

/** What a link leads to outside the folder is not covered by its hash. */
async function refuseWaysOut(folder: string, root: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) await refuseWaysOut(path, root)
    if (!entry.isSymbolicLink()) continue
    const target = await realpath(path).catch(() => undefined)
    if (target?.startsWith(root + sep)) continue
    throw new ModuleError('PATH_ESCAPE', `The module holds the link ${relative(root, path)}, which leads out of it or nowhere.`)
  }
}

async function sameFiles(folder: string, fingerprint: Fingerprint): Promise<void> {
  if (await matches(folder, fingerprint)) return
  throw new ModuleError('INTEGRITY', 'The files of the module changed while it waited for consent. Add it again.')
}

/** Whether what was fetched is what was agreed to and what lies there: files that were changed since are put right by an update. */
async function isInPlace(target: string, before: Consent, { integrity }: Fingerprint): Promise<boolean> {
  return before.fingerprint.integrity === integrity && existsSync(target) && (await matches(target, before.fingerprint))
}

async function matches(folder: string, { integrity }: Fingerprint): Promise<boolean> {
  return (await lstat(folder)).isDirectory() && (await fingerprintOf(folder, { all: true })).integrity === integrity
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
