import { existsSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'

// Which file of a module is edited by hand: the TypeScript that `dist` was built from, where it lies beside.

/** The file to bundle for an entry, and where each of its files would run from once built. */
export interface SourceFile {
  readonly path: string
  /** The built twin of a source file (what `import.meta.url` names), or the file itself where there is none. */
  builtPath(file: string): string
}

/** `dist/cli/a.js` → `cli/a.ts` or `src/cli/a.ts` if it exists, else the entry itself. */
export function sourceFile(folder: string, entry: string): SourceFile {
  const built = resolve(folder, entry)
  const dist = join(resolve(folder), 'dist')
  if (built.startsWith(dist + sep)) {
    const inside = relative(dist, built)
    for (const root of [join(folder, 'src'), resolve(folder)]) {
      const path = sourceEndings(join(root, inside)).find((name) => existsSync(name))
      if (path !== undefined) return { path, builtPath: (file) => twin(file, root, dist) }
    }
  }
  return { path: built, builtPath: (file) => file }
}

export function isTypeScript(path: string): boolean {
  return /\.[cm]?tsx?$/.test(path)
}

function sourceEndings(path: string): string[] {
  return [path.replace(/js$/, 'ts'), path.replace(/js$/, 'tsx')].filter((name) => name !== path)
}

function twin(file: string, root: string, dist: string): string {
  const inside = relative(root, file)
  if (inside.startsWith('..') || !isTypeScript(file)) return file
  const built = join(dist, dirname(inside), `${inside.split(sep).at(-1)!.replace(/tsx?$/, 'js')}`)
  return existsSync(built) ? built : file
}
