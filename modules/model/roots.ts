import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

// Where the user's files and the models lie. Imports nothing of the project, so that a command may ask without loading a module.

type Environment = Readonly<Record<string, string | undefined>>

/** The user's folders. */
export interface EnigmaFolders {
  /** Models, saved sets. */
  readonly data: string
  /** Settings. */
  readonly config: string
}

/** `ENIGMA_HOME` for everything if it is set, else `enigma` in the XDG folders (XDG Base Directory Specification 0.8). */
export function enigmaFolders(env: Environment = process.env): EnigmaFolders {
  const home = env.ENIGMA_HOME
  if (home) return { data: resolve(home), config: resolve(home) }
  return {
    data: join(xdg(env.XDG_DATA_HOME, '.local', 'share'), 'enigma'),
    config: join(xdg(env.XDG_CONFIG_HOME, '.config'), 'enigma'),
  }
}

/**
 * Where models are looked for by name, first wins: the user's data folder, `models` in the working folder, the models that
 * ship (`models` at the workspace's root; of an installed package, in the `enigma` package beside this one).
 */
export function modelRoots(env: Environment = process.env, cwd: string = process.cwd()): string[] {
  const shipped = ['../../../models', '../../../enigma/models'].map((path) => fileURLToPath(new URL(path, import.meta.url)))
  return [...new Set([join(enigmaFolders(env).data, 'models'), join(cwd, 'models'), ...shipped])]
}

// The specification: a relative path is to be ignored.
function xdg(given: string | undefined, ...fallback: string[]): string {
  return given && isAbsolute(given) ? given : join(homedir(), ...fallback)
}
