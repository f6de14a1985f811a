import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'

/**
 * The home folders, as `enigmaFolders` of the front door has them (a test holds the two together): told here again because settings
 * are read before, and often without, the front door being loaded.
 */
interface Folders {
  /** `config.json`, `enigma_modules.json`. */
  readonly config: string
  /** `models/`, `modules/`, the chat's history. */
  readonly data: string
}

/** `ENIGMA_HOME` for everything if it is set, else `enigma` in the XDG folders; their specification ignores relative paths. */
export function folders(env: NodeJS.ProcessEnv = process.env): Folders {
  const home = env.ENIGMA_HOME
  if (home) return { config: resolve(home), data: resolve(home) }
  const xdg = (given: string | undefined, ...fallback: string[]) =>
    join(given && isAbsolute(given) ? given : join(homedir(), ...fallback), 'enigma')
  return { config: xdg(env.XDG_CONFIG_HOME, '.config'), data: xdg(env.XDG_DATA_HOME, '.local', 'share') }
}

/** The modules that stay loaded, as `modules load` and `unload` leave them. */
export function savedSetPath(env: NodeJS.ProcessEnv = process.env): string {
  return join(folders(env).config, 'enigma_modules.json')
}

/** What a module stores: its `$DATA`. */
export function moduleData(id: string, env: NodeJS.ProcessEnv = process.env): string {
  return join(folders(env).data, 'module-data', id)
}

/** Where `modules add` puts modules; folders of modules put there by hand are found too. */
export function installedModules(env: NodeJS.ProcessEnv = process.env): string {
  return join(folders(env).data, 'modules')
}
