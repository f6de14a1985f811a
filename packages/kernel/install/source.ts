import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { ModuleError } from '../errors.js'

/** Where a module is to come from. */
export type Source =
  | { readonly kind: 'npm'; readonly spec: string }
  | { readonly kind: 'tarball'; readonly spec: string }
  /** A folder with a package.json, or with a module.yaml only. */
  | { readonly kind: 'folder'; readonly spec: string; readonly packed: boolean }

const packageName = /^(@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*(@[^\s:/\\]+)?$/

/**
 * What was typed, as a source: a folder or a tarball that is there, else the name of an npm package with an optional version or
 * range. Addresses and repositories are refused: what they give may be another thing tomorrow.
 * @throws ModuleError `INSTALL_FAILED`
 */
export function sourceOf(typed: string, cwd: string): Source {
  const path = resolve(cwd, typed)
  const looksLikePath = /^[./\\~]|^[a-z]:[\\/]/i.test(typed)
  if (typed !== '' && existsSync(path) && (looksLikePath || !packageName.test(typed) || /\.(tgz|tar\.gz)$/.test(typed))) {
    if (statSync(path).isDirectory()) {
      const packed = existsSync(resolve(path, 'package.json'))
      if (packed || existsSync(resolve(path, 'module.yaml'))) return { kind: 'folder', spec: path, packed }
      throw new ModuleError(
        'INSTALL_FAILED',
        `${path} holds neither a package.json nor a module.yaml. Name the module's own folder.`,
      )
    }
    if (/\.(tgz|tar\.gz)$/.test(path)) return { kind: 'tarball', spec: path }
    throw new ModuleError('INSTALL_FAILED', `${path} is neither a folder nor a .tgz made by npm pack.`)
  }
  if (looksLikePath || /\.(tgz|tar\.gz)$/.test(typed)) throw new ModuleError('INSTALL_FAILED', `${path} does not exist.`)
  if (packageName.test(typed) && !typed.startsWith('-')) return { kind: 'npm', spec: typed }
  const fix = 'Name an npm package (name, name@^1.2), a folder or a .tgz file.'
  throw new ModuleError('INSTALL_FAILED', `${JSON.stringify(typed)} is nothing that can be added. ${fix}`)
}
