import { createRequire, isBuiltin } from 'node:module'
import { dirname } from 'node:path'
import { pathToFileURL } from 'node:url'
import { compileFunction, constants } from 'node:vm'
import { type Bundle, metaFunction } from './bundle.js'
import { SourceStacks } from './source-stacks.js'

// Runs a bundle. Nothing but the answer holds its code, so it is collected with it.

export interface Evaluated {
  readonly exports: Record<string, unknown>
  /** Puts the lines of the sources into the stacks of what the code throws. */
  readonly stacks: SourceStacks
}

/** @param builtPath where a file would run from once built, for its `import.meta` */
export async function evaluate(
  { code, imports }: Bundle,
  entry: string,
  builtPath: (file: string) => string,
): Promise<Evaluated> {
  // The query tells a stack trace that the lines are those of the bundle.
  const filename = `${pathToFileURL(entry).href}?bundle`
  const stacks = new SourceStacks(code, filename, dirname(entry))
  const given = new Map<string, unknown>()
  for (const name of imports) given.set(name, interoperable((await import(name)) as Record<string, unknown>))
  const real = createRequire(entry)
  const require = Object.assign((name: string): unknown => given.get(name) ?? real(name), { resolve: real.resolve })
  const module = { exports: {} as Record<string, unknown> }
  try {
    // Only asked for where it is needed: Node prints that it is experimental.
    const loader = code.includes('import(') && { importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER }
    const run = compileFunction(code, ['module', 'exports', 'require', metaFunction], { filename, ...loader })
    run(module, module.exports, require, (file: string) => metaOf(builtPath(file)))
  } catch (error) {
    throw stacks.explain(error)
  }
  return { exports: module.exports, stacks }
}

/** A namespace in the form in which CommonJS made from ES modules expects one: its `default` is no wrapper around itself. */
function interoperable(namespace: Readonly<Record<string, unknown>>): object {
  const twin = Object.defineProperty({}, '__esModule', { value: true })
  for (const key of Object.keys(namespace)) {
    if (key !== '__esModule') Object.defineProperty(twin, key, { enumerable: true, get: () => namespace[key] })
  }
  return twin
}

function metaOf(filename: string): Partial<ImportMeta> {
  const url = pathToFileURL(filename).href
  const resolve = (name: string) => {
    if (isBuiltin(name)) return name.startsWith('node:') ? name : `node:${name}`
    if (/^(\.{0,2}\/|[a-z]{2,}:)/.test(name)) return new URL(name, url).href
    return pathToFileURL(createRequire(filename).resolve(name)).href
  }
  return { url, filename, dirname: dirname(filename), resolve }
}
