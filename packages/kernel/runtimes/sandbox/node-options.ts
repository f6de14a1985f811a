import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, join, resolve, sep } from 'node:path'
import { ModuleError } from '../../errors.js'
import type { Manifest } from '../../manifest/manifest.js'
import { toMB } from '../../units.js'
import type { GrantedPath } from './granted-paths.js'
import type { Platform } from './platform.js'

/** The kernel's own package (we run from its `dist`), whose code runs beside the module's. */
const kernel = resolve(import.meta.dirname, '../../..')

/** Node's own options for a module: what it may reach, and how large its heap may grow. */
export function nodeOptions(manifest: Manifest, folder: string, granted: readonly GrantedPath[], platform: Platform): string[] {
  const { id, permissions, resources } = manifest
  const heap = resources.ram > 0 ? [`--max-old-space-size=${Math.max(16, toMB(resources.ram))}`] : []
  if (platform.nodePermission === undefined) return heap
  // Bubblewrap shows no other files anyway.
  const everything = platform.bubblewrap ? ['*'] : undefined
  const read = everything ?? outermost(id, [...readablePlaces(folder), ...granted.map(({ path }) => path)])
  const write =
    everything ??
    outermost(
      id,
      granted.filter((path) => path.write).map(({ path }) => path),
    )
  return [
    ...heap,
    platform.nodePermission,
    // Node prints on the module's standard error that its checks are experimental, and what `child: true` means; `permissionReport` says it.
    '--disable-warning=ExperimentalWarning',
    '--disable-warning=SecurityWarning',
    ...read.map((path) => `--allow-fs-read=${path}`),
    ...write.map((path) => `--allow-fs-write=${path}`),
    ...(permissions.child ? ['--allow-child-process', '--allow-addons'] : []),
    ...(permissions.net.length > 0 && platform.nodeNetwork ? ['--allow-net'] : []),
  ]
}

/** The module's folder, the kernel, and the packages that both can import: `node_modules` beside and above them, links resolved. */
export function readablePlaces(folder: string): string[] {
  const real = realpathSync(folder)
  const places = new Set([folder, real, kernel, ...packageFolders(real), ...packageFolders(kernel)])
  for (const name of dependencies(real)) {
    const link = packageFolders(real)
      .map((modules) => join(modules, name))
      .find((path) => existsSync(path))
    if (link === undefined) continue
    const target = realpathSync(link)
    places.add(target)
    for (const modules of packageFolders(target)) places.add(modules)
  }
  return [...places]
}

function packageFolders(from: string): string[] {
  const found: string[] = []
  for (let folder = from; ; folder = dirname(folder)) {
    const modules = join(folder, 'node_modules')
    if (existsSync(modules)) found.push(modules)
    if (dirname(folder) === folder) return found
  }
}

function dependencies(folder: string): string[] {
  try {
    const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { dependencies?: object }
    // A name is a name: `../../..` would grant what lies there.
    return Object.keys(dependencies).filter((name) => /^(@[\w~-][\w.~-]*\/)?[\w~-][\w.~-]*$/.test(name))
  } catch {
    return []
  }
}

// What lies in a granted folder is left out: Node 20 forgets a folder when something below it is granted too. It also forgets
// one when another's path begins with the same letters (`/a/mod`, `/a/mod-data`), which nothing helps against.
function outermost(id: string, paths: readonly string[]): string[] {
  const all = [...new Set(paths)]
  const outer = all.filter((path) => !all.some((other) => other !== path && path.startsWith(join(other, sep))))
  for (const path of outer) {
    const other = outer.find((longer) => longer !== path && longer.startsWith(path))
    if (other === undefined) continue
    const fix = 'Rename one of the folders, or install bubblewrap, or take a newer Node.'
    const message = `Module '${id}': Node ${process.version} cannot grant both ${path} and ${other}, as one name begins with the other. ${fix}`
    throw new ModuleError('RUNTIME_UNSUPPORTED', message, { module: id })
  }
  return outer
}
