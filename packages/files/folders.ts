import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'

type Environment = Readonly<Record<string, string | undefined>>

/** The user's folders. None is made by asking. */
export interface EnigmaFolders {
  /** Models, modules. */
  readonly data: string
  /** Settings, saved sets. */
  readonly config: string
  /** What survives a restart but is no document: heartbeat, metrics, events, quarantine. */
  readonly state: string
  /** What can be made again. */
  readonly cache: string
  readonly logs: string
}

/** `ENIGMA_HOME` for everything if it is set, else `enigma` in the XDG folders (XDG Base Directory Specification 0.8). */
export function enigmaFolders(env: Environment = process.env): EnigmaFolders {
  if (env.ENIGMA_HOME) {
    const home = resolve(env.ENIGMA_HOME)
    return { data: home, config: home, state: join(home, 'state'), cache: join(home, 'cache'), logs: join(home, 'logs') }
  }
  const state = xdg(env.XDG_STATE_HOME, '.local', 'state')
  return {
    data: xdg(env.XDG_DATA_HOME, '.local', 'share'),
    config: xdg(env.XDG_CONFIG_HOME, '.config'),
    state,
    cache: xdg(env.XDG_CACHE_HOME, '.cache'),
    logs: join(state, 'logs'),
  }
}

// The specification: a relative path is to be ignored.
function xdg(given: string | undefined, ...fallback: string[]): string {
  return join(given && isAbsolute(given) ? given : join(homedir(), ...fallback), 'enigma')
}
