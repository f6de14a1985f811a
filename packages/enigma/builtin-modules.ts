import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'

/** How the packages of built-in modules are named. */
const prefix = '@enigma/module-'

/**
 * The folders of the built-in modules: the packages `@enigma/module-…` that this package depends on, wherever npm has put or
 * linked them. None of their code runs.
 */
export function builtinModules(): string[] {
  const require = createRequire(import.meta.url)
  const { dependencies = {} } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    dependencies?: Readonly<Record<string, string>>
  }
  return Object.keys(dependencies)
    .filter((name) => name.startsWith(prefix))
    .map((name) => dirname(require.resolve(`${name}/module.yaml`)))
}
