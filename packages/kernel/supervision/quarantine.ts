import { randomUUID } from 'node:crypto'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ModuleError, messageOf } from '../errors.js'

// Modules that crashed too often, and are not loaded again until somebody resets them: also by the next process.

/** Why and since when a module is in quarantine. */
export interface Quarantined {
  readonly id: string
  /** Version of the module that crashed. */
  readonly version: string
  readonly reason: string
  /** ISO 8601. */
  readonly since: string
}

/** The quarantined modules, kept in `<folder>/quarantine.json`, or in memory only where there is no folder. */
export class Quarantine {
  readonly #path: string | undefined
  readonly #modules = new Map<string, Quarantined>()
  /** What was wrong with the file when it was read. */
  readonly warning: ModuleError | undefined
  #writing: Promise<void> = Promise.resolve()

  private constructor(path: string | undefined, found: readonly Quarantined[], warning: ModuleError | undefined) {
    this.#path = path
    this.warning = warning
    for (const entry of found) this.#modules.set(entry.id, entry)
  }

  /** Reads the file. One that cannot be used is set aside, and `warning` says so; this never throws. */
  static async open(folder?: string): Promise<Quarantine> {
    if (folder === undefined) return new Quarantine(undefined, [], undefined)
    const path = join(folder, 'quarantine.json')
    try {
      return new Quarantine(path, parse(await readFile(path, 'utf8')), undefined)
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return new Quarantine(path, [], undefined)
      return new Quarantine(path, [], await setAside(path, cause))
    }
  }

  get size(): number {
    return this.#modules.size
  }

  get(id: string): Quarantined | undefined {
    return this.#modules.get(id)
  }

  list(): Quarantined[] {
    return [...this.#modules.values()]
  }

  /** Counts at once; resolved when it is on disk. @throws ModuleError `QUARANTINE_FILE` when it cannot be written */
  add(entry: Quarantined): Promise<void> {
    this.#modules.set(entry.id, entry)
    return this.#save((stored) => void stored.set(entry.id, entry))
  }

  /** As `add`. Does nothing for a module that is in no quarantine. */
  async delete(id: string): Promise<void> {
    if (this.#modules.delete(id)) await this.#save((stored) => void stored.delete(id))
  }

  /** When all that was asked for so far is written, or has failed. */
  get settled(): Promise<void> {
    return this.#writing
  }

  // One write after the other. The file is read anew each time: another process may have added its own.
  #save(change: (stored: Map<string, Quarantined>) => void): Promise<void> {
    const path = this.#path
    if (path === undefined) return Promise.resolve()
    const done = this.#writing.then(() => rewrite(path, change))
    this.#writing = done.catch(() => undefined)
    return done
  }
}

async function rewrite(path: string, change: (stored: Map<string, Quarantined>) => void): Promise<void> {
  const temporary = `${path}.${randomUUID().slice(0, 8)}.tmp`
  try {
    await mkdir(join(path, '..'), { recursive: true })
    const stored = new Map((await readAgain(path)).map((entry) => [entry.id, entry]))
    change(stored)
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(`${JSON.stringify({ modules: [...stored.values()] }, undefined, 2)}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined)
    const message = `The quarantine could not be written to ${path}: ${messageOf(cause)}. It holds for this process only.`
    throw new ModuleError('QUARANTINE_FILE', message, { cause })
  }
}

async function readAgain(path: string): Promise<Quarantined[]> {
  try {
    return parse(await readFile(path, 'utf8'))
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') await setAside(path, cause)
    return []
  }
}

async function setAside(path: string, cause: unknown): Promise<ModuleError> {
  const aside = `${path}.bad-${randomUUID().slice(0, 8)}`
  const kept = await rename(path, aside).then(
    () => `It is kept as ${aside}.`,
    () => 'It is left where it is.',
  )
  return new ModuleError('QUARANTINE_FILE', `The quarantine ${path} cannot be used: ${messageOf(cause)}. ${kept}`, { cause })
}

function parse(text: string): Quarantined[] {
  const document: unknown = JSON.parse(text)
  const modules = (document as { modules?: unknown } | null)?.modules
  if (!Array.isArray(modules)) throw new Error("it has no list 'modules'")
  return modules.map((entry: unknown, i) => {
    const { id, version, reason, since } = (entry ?? {}) as Record<string, unknown>
    for (const [key, value] of Object.entries({ id, version, reason, since })) {
      if (typeof value !== 'string') throw new Error(`entry ${i + 1} has no '${key}'`)
    }
    return { id, version, reason, since } as Quarantined
  })
}
