import { existsSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { ModuleError, messageOf } from '../errors.js'
import type { EventBus } from '../events/events.js'
import type { Manifest } from '../manifest/manifest.js'
import { ReloadQueue } from './reload-queue.js'
import { sourceFile } from './source-file.js'

// Development: modules are reloaded when their files change.

/** Milliseconds without a change before a reload. More than the 50 in which chokidar drops further changes of a file. */
const quiet = 75

/** A running watch. */
export interface ModuleWatch extends AsyncDisposable {
  /** Ids of the modules whose files are watched. */
  readonly modules: readonly string[]
  /** Ends it; waits for a reload that runs. */
  close(): Promise<void>
}

interface WatchedModule {
  readonly manifest: Manifest
  readonly folder: string
}

interface Origin {
  readonly manifest: Manifest
  readonly folder: string | undefined
}

/** The modules on disk that are being worked on: not those installed as packages. */
export function developed<T extends Origin>(modules: Iterable<T>): T[] {
  return [...modules].filter(({ folder }) => folder !== undefined && !folder.split(sep).includes('node_modules'))
}

/** What there is to watch of a module: nothing if it was registered at run time. */
export function watched({ manifest, folder }: Origin): WatchedModule[] {
  return folder === undefined ? [] : [{ manifest, folder }]
}

/**
 * Calls `reload` for each module whose code, manifest or data files change. A reload that fails is told as the event
 * `module.reload-failed`.
 * @throws ModuleError `WATCH_FAILED` when the system refuses to watch
 */
export async function watchModules(
  modules: readonly WatchedModule[],
  reload: (id: string) => Promise<unknown>,
  bus: EventBus,
): Promise<ModuleWatch> {
  const { watch } = await import('chokidar')
  const failed = (id: string, error: unknown) => bus.emit('module.reload-failed', { id, message: messageOf(error) })
  const queue = new ReloadQueue(async (id) => {
    await reload(id).catch((error: unknown) => failed(id, error))
  }, quiet)

  const folders = modules.map(watchedFolder)
  const ownerOf = (path: string) => folders.find(({ folder }) => path.startsWith(folder + sep))
  const watcher = watch(
    folders.map(({ folder }) => folder),
    {
      ignoreInitial: true,
      ignored: (path, stats) => ownerOf(path)?.ignores(path, stats?.isFile() === true) ?? false,
    },
  )
  watcher.on('all', (_, path) => {
    const owner = ownerOf(path)
    if (owner) queue.changed(owner.id)
  })
  const close = async () => {
    await watcher.close()
    await queue.close()
  }
  try {
    await new Promise<void>((ready, refused) => watcher.once('ready', ready).on('error', refused))
  } catch (cause) {
    await close()
    const fix = 'Watch fewer modules, or raise the limit of the system (Linux: fs.inotify.max_user_watches).'
    throw new ModuleError('WATCH_FAILED', `The files cannot be watched: ${messageOf(cause)}. ${fix}`, { cause })
  }
  return { modules: folders.map(({ id }) => id), close, [Symbol.asyncDispose]: close }
}

/** Files that a module's behaviour may hang on; not its tests, prose and packages. */
const files = /\.([cm]?[jt]sx?|json|ya?ml|wasm|node|py)$/
const asides = new Set(['node_modules', 'tests', 'coverage'])

function watchedFolder({ manifest: { id, entry }, folder }: WatchedModule) {
  // What is built from sources that are bundled themselves says nothing new.
  const built = sourceFile(folder, entry).path !== join(folder, entry) && existsSync(join(folder, 'dist'))
  const ignores = (path: string, isFile: boolean): boolean => {
    const parts = relative(folder, path).split(sep)
    if (parts.some((part) => asides.has(part) || part.startsWith('.') || part === '__pycache__')) return true
    if (built && parts[0] === 'dist') return true
    return isFile && !files.test(path)
  }
  return { id, folder, ignores }
}
