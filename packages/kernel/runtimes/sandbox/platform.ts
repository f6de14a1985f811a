import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** What this machine can hold a module's process to. */
export interface Platform {
  readonly os: NodeJS.Platform
  /** Node's option that switches its permission checks on; undefined when it has none. */
  readonly nodePermission: '--permission' | '--experimental-permission' | undefined
  /** Whether those checks cover the network. */
  readonly nodeNetwork: boolean
  /** Path of bubblewrap, if it is there and works. */
  readonly bubblewrap: string | undefined
}

/** Looks at Node and tries bubblewrap once (a few milliseconds). */
export function detectPlatform(): Platform {
  const flags = process.allowedNodeEnvironmentFlags
  const nodePermission = (['--permission', '--experimental-permission'] as const).find((flag) => flags.has(flag))
  return {
    os: process.platform,
    nodePermission,
    nodeNetwork: flags.has('--allow-net'),
    bubblewrap: process.platform === 'linux' ? workingBubblewrap() : undefined,
  }
}

// Being installed says little: many systems forbid it the namespaces it needs.
function workingBubblewrap(): string | undefined {
  const path = findProgram('bwrap')
  if (path === undefined) return undefined
  const probe = spawnSync(path, ['--ro-bind', '/', '/', '--unshare-all', '--die-with-parent', 'true'], { timeout: 5000 })
  return probe.status === 0 ? path : undefined
}

/** The path of a program, as the shell would find it. */
export function findProgram(name: string): string | undefined {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, name)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      // Not here.
    }
  }
  return undefined
}
