import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

/** The home folders of Enigma: XDG folders; `ENIGMA_HOME` puts all of them into one. */
export interface Folders {
  /** `config.json`, `modules.json`. */
  readonly config: string
  /** `models/`. */
  readonly data: string
  /** What may be lost: the chat's history of lines. */
  readonly state: string
}

export function folders(env: NodeJS.ProcessEnv = process.env): Folders {
  if (env.ENIGMA_HOME) {
    const home = resolve(env.ENIGMA_HOME)
    return { config: home, data: home, state: home }
  }
  const xdg = (name: string, ...fallback: string[]) => join(env[name] || join(homedir(), ...fallback), 'enigma')
  return {
    config: xdg('XDG_CONFIG_HOME', '.config'),
    data: xdg('XDG_DATA_HOME', '.local', 'share'),
    state: xdg('XDG_STATE_HOME', '.local', 'state'),
  }
}

/** The modules that stay loaded, as `modules load` and `unload` leave them. */
export function savedSetPath(env: NodeJS.ProcessEnv = process.env): string {
  return join(folders(env).config, 'enigma_modules.json')
}
