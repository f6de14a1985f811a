import { readFile } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { basename, dirname, isAbsolute, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { BuildFailure, ImportKind, Loader, Message, Plugin, PluginBuild } from 'esbuild'
import { ModuleError } from '../errors.js'

// A module's own files as one text of CommonJS, so that it can be evaluated any number of times: what `import()` loads stays
// for ever. Packages stay outside, under the file or URL that Node would take.

export interface Bundle {
  /** A function body over `module`, `exports`, `require` and {@link metaFunction}, its source map at its end. */
  readonly code: string
  /** What the code asks of `require` and only `import` can give: URLs and built-in names. */
  readonly imports: readonly string[]
  /** Files that went in, absolute. */
  readonly files: readonly string[]
}

/** Called by a bundle with a file's path, for its `import.meta`. */
export const metaFunction = '__enigma_meta'

const metaName = '__enigma_import_meta'
const target = 'node20'

/** @throws ModuleError `BUNDLE_FAILED` naming file and line: syntax, a missing import, top-level await */
export async function bundle(id: string, entry: string): Promise<Bundle> {
  const esbuild = await import('esbuild')
  const absWorkingDir = dirname(entry)
  try {
    const built = await esbuild.build({
      absWorkingDir,
      entryPoints: [entry],
      outfile: `${basename(entry)}.bundle.js`,
      bundle: true,
      write: false,
      metafile: true,
      format: 'esm',
      platform: 'node',
      target,
      // As Node resolves, not as bundlers do.
      mainFields: ['main'],
      conditions: ['node-addons', 'module-sync'],
      define: { 'import.meta': metaName },
      supported: { 'top-level-await': false },
      plugins: [packagesOutside, importMeta],
      sourcemap: 'inline',
      sourcesContent: false,
      logLevel: 'silent',
    })
    // CommonJS in a second step: in one, esbuild would take every package for CommonJS and give it as its own `default`.
    const { code } = await esbuild.transform(built.outputFiles[0]!.text, {
      format: 'cjs',
      platform: 'node',
      target,
      sourcemap: 'inline',
      sourcesContent: false,
      sourcefile: `${basename(entry)}.bundle.js`,
      logLevel: 'silent',
    })
    const [output] = Object.values(built.metafile.outputs)
    const imports = output!.imports.filter(({ kind }) => kind === 'import-statement').map(({ path }) => path)
    const files = Object.keys(built.metafile.inputs).map((path) => (isAbsolute(path) ? path : `${absWorkingDir}/${path}`))
    return { code, imports: [...new Set(imports)], files }
  } catch (error) {
    throw bundleError(id, absWorkingDir, error)
  }
}

const resolving = Symbol('resolving')

/** Packages are not bundled. What `import` names becomes a URL, what `require` names a path: each as Node would resolve it. */
const packagesOutside: Plugin = {
  name: 'packages-outside',
  setup(build: PluginBuild) {
    build.onResolve({ filter: /^[^./#]/ }, async ({ path, kind, importer, resolveDir, pluginData }) => {
      if (kind === 'entry-point' || pluginData === resolving || isAbsolute(path)) return undefined
      if (isBuiltin(path)) return { path, external: true }
      const found = await build.resolve(path, { kind, importer, resolveDir, pluginData: resolving })
      if (found.errors.length === 0) return { path: outside(found.path, kind), external: true }
      // What is only asked for at run time may be missing, and be handled there.
      return kind === 'import-statement' ? { errors: found.errors } : { path, external: true }
    })
  },
}

function outside(path: string, kind: ImportKind): string {
  return kind === 'require-call' || !isAbsolute(path) ? path : pathToFileURL(path).href
}

const loaders: Readonly<Record<string, Loader>> = { ts: 'ts', mts: 'ts', cts: 'ts', tsx: 'tsx', jsx: 'jsx' }

/** `import.meta` does not exist in CommonJS: each file that speaks of it gets its own as a constant, on its first line. */
const importMeta: Plugin = {
  name: 'import-meta',
  setup(build: PluginBuild) {
    build.onLoad({ filter: /\.[cm]?[jt]sx?$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8')
      if (!text.includes('import.meta')) return undefined
      const constant = `const ${metaName} = ${metaFunction}(${JSON.stringify(path)});`
      const contents = text.startsWith('#!') ? text.replace('\n', `\n${constant}`) : constant + text
      return { contents, loader: loaders[path.split('.').at(-1)!] ?? 'js' }
    })
  },
}

function bundleError(id: string, folder: string, cause: unknown): ModuleError {
  const errors = (cause as Partial<BuildFailure>).errors ?? []
  if (errors.length === 0) {
    const why = cause instanceof Error ? cause.message : String(cause)
    return new ModuleError('BUNDLE_FAILED', `Module '${id}' cannot be bundled: ${why}`, { module: id })
  }
  const text = errors.map((error) => sentence(folder, error)).join('; ')
  // Not kept as the cause: esbuild's failure holds the sources.
  return new ModuleError('BUNDLE_FAILED', `Module '${id}' cannot be bundled: ${text}`, { module: id })
}

function sentence(folder: string, { text, location }: Message): string {
  const what = text.startsWith('Top-level await') ? 'top-level await is not possible here; move it into load(ctx)' : text
  if (!location) return what
  const file = isAbsolute(location.file) ? relative(folder, location.file) : location.file
  return `${file}:${location.line}: ${what}`
}
