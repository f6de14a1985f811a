import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Duplex, Readable, Writable } from 'node:stream'
import { ModuleError, messageOf } from '../../errors.js'
import type { Manifest } from '../../manifest/manifest.js'
import { bubblewrapCommand } from '../sandbox/bubblewrap.js'
import { grantedPaths } from '../sandbox/granted-paths.js'
import { nodeOptions, readablePlaces } from '../sandbox/node-options.js'
import type { Platform } from '../sandbox/platform.js'
import { lineChannel } from '../wire/channel.js'
import { moduleEnvironment } from './environment.js'
import type { Link, Output, StartLink } from './link.js'
import { readLines } from './output.js'

const childScript = join(import.meta.dirname, '../guest/child.js')
/** Bytes beyond `resources.ram` for the runtime itself: Node's threads and code take 80 MB of data segment before any module. */
const allowance = 160 * 2 ** 20

/**
 * Limits memory, then becomes the command. Beside it a guard in the same process group reads from descriptor 4: when we end, by
 * whatever death, the pipe closes and the guard ends the group, also when the module is busy and could not notice.
 */
const launcher =
  'if [ "$0" -gt 0 ]; then ulimit -d "$0" 2>/dev/null; fi; ' +
  '{ read -r _ <&4; kill -KILL 0; } </dev/null >/dev/null 2>&1 3>&- & exec "$@" 4<&-'

/** A started process and its pipes. */
export interface Subprocess {
  readonly child: ChildProcess
  readonly stdin: Writable
  readonly stdout: Readable
  /** File descriptor 3. */
  readonly pipe: Duplex
  readonly ended: Promise<string>
  kill(): void
}

/** Starts JavaScript modules in processes of their own. `data` is the folder in which this module may keep files. */
export function startProcess(manifest: Manifest, folder: string, data: string, platform: Platform): StartLink {
  return async (output) => {
    const granted = grantsOf(manifest, folder, data)
    const command = [process.execPath, ...nodeOptions(manifest, folder, granted, platform), childScript]
    const { child, stdin, stdout, pipe, ended, kill } = await startCommand(manifest, folder, data, platform, command, output)
    stdin.destroy()
    readLines(stdout, (line) => output('stdout', line))
    return { channel: lineChannel(pipe, pipe), label: `process ${child.pid}`, ended, kill } satisfies Link
  }
}

/** Starts any command confined as the manifest and the platform have it. @throws ModuleError `CRASHED` when it cannot be started */
export async function startCommand(
  manifest: Manifest,
  folder: string,
  data: string,
  platform: Platform,
  command: readonly string[],
  output: Output,
): Promise<Subprocess> {
  const granted = grantsOf(manifest, folder, data)
  const confined = platform.bubblewrap
    ? bubblewrapCommand(platform.bubblewrap, manifest, readablePlaces(folder), granted, command)
    : command
  const windows = platform.os === 'win32'
  const { ram } = manifest.resources
  const limit = ram > 0 ? Math.ceil((ram + allowance) / 1024) : 0
  const [program, ...args] = windows ? confined : ['/bin/sh', '-c', launcher, String(limit), ...confined]
  const child = spawn(program!, args, {
    cwd: folder,
    env: moduleEnvironment(),
    // A process group of its own: it can be ended with all it has started, and the terminal's Ctrl-C is not for it.
    detached: !windows,
    windowsHide: true,
    stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
  })
  let over = false
  const kill = () => {
    if (!over) killGroup(child, windows)
  }
  // What it had started and left behind goes with it; later the number may be somebody else's.
  const ended = endOf(child).then((how) => {
    kill()
    over = true
    return how
  })
  try {
    await once(child, 'spawn')
  } catch (error) {
    const message = `Module '${manifest.id}': its process could not be started: ${messageOf(error)}. Check that ${command[0]} is installed.`
    throw new ModuleError('CRASHED', message, { module: manifest.id, cause: error })
  }
  const [stdin, stdout, stderr, pipe, lifeline] = child.stdio as [Writable, Readable, Readable, Duplex, Duplex]
  for (const stream of [stdin, pipe, lifeline]) stream.on('error', () => undefined)
  readLines(stderr, (line) => output('stderr', line))
  // The guard ends; `close` comes only when no pipe is open any more.
  child.once('exit', () => {
    lifeline.destroy()
    stdin.destroy()
  })
  void ended.then(() => {
    for (const stream of [stdout, stderr, pipe]) stream.destroy()
  })
  return { child, stdin, stdout, pipe, ended, kill }
}

function grantsOf(manifest: Manifest, folder: string, data: string) {
  const granted = grantedPaths(manifest.permissions.fs, { module: folder, data }, homedir())
  if (granted.some(({ path, write }) => write && (path === data || path.startsWith(join(data, '/'))))) {
    mkdirSync(data, { recursive: true })
  }
  return granted
}

// `close` comes after the last line of output, which says why; what the child has started may hold its pipes open longer.
function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    const tell = () => {
      clearTimeout(timer)
      const { exitCode, signalCode } = child
      resolve(signalCode ? `its process was ended by ${signalCode}` : `its process ended with exit code ${exitCode}`)
    }
    let timer: NodeJS.Timeout | undefined
    child.once('exit', () => (timer = setTimeout(tell, 100)))
    child.once('close', tell)
    child.once('error', (error) => resolve(`its process could not be started: ${messageOf(error)}`))
  })
}

function killGroup(child: ChildProcess, windows: boolean): void {
  if (child.pid === undefined) return
  try {
    if (windows) child.kill('SIGKILL')
    else process.kill(-child.pid, 'SIGKILL')
  } catch {
    // Gone already.
  }
}
