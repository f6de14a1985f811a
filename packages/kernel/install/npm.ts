import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { ModuleError } from '../errors.js'

/** Fetches a package and what it depends on into a folder that has a package.json. Runs none of their code. */
export type Fetch = (spec: string, folder: string, options: FetchOptions) => Promise<void>

export interface FetchOptions {
  readonly signal?: AbortSignal | undefined
  /** Take nothing from the network. */
  readonly offline?: boolean | undefined
  /** What npm says meanwhile, a line each. */
  readonly onLine?: ((line: string) => void) | undefined
}

// No script of any package runs; nothing is linked to outside; the packages of Enigma that a module names as peers are the host's.
const flags = [
  '--ignore-scripts',
  '--install-links',
  '--legacy-peer-deps',
  '--omit=dev',
  '--no-audit',
  '--no-fund',
  '--no-update-notifier',
  '--save-exact',
  '--loglevel=http',
]
const keptLines = 20

/** npm as a child process. @throws ModuleError `INSTALL_FAILED` with what npm said, `CANCELLED` */
export const fetchWithNpm: Fetch = (spec, folder, { signal, offline, onLine }) => {
  const [program, ...first] = npmCommand()
  // The spec stands behind `--`: it cannot be an option.
  const args = [...first, 'install', ...flags, ...(offline ? ['--offline'] : []), '--', spec]
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'], env: environment() })
    const said: string[] = []
    const lines = createInterface({ input: child.stderr })
    lines.on('line', (line) => {
      onLine?.(line)
      if (!/^npm (http|warn)/i.test(line)) said.push(line.replace(/^npm (error|ERR!) ?/i, ''))
      if (said.length > keptLines) said.shift()
    })
    const stop = () => child.kill('SIGTERM')
    signal?.addEventListener('abort', stop, { once: true })
    if (signal?.aborted) stop()
    const fail = (why: string, cause?: unknown) =>
      reject(new ModuleError('INSTALL_FAILED', `npm could not install ${spec}: ${why}`, { cause }))
    child.on('error', (error) => {
      signal?.removeEventListener('abort', stop)
      fail(`${error.message}. Install npm (it comes with Node.js), or put it on the PATH.`, error)
    })
    child.on('close', (code) => {
      signal?.removeEventListener('abort', stop)
      if (signal?.aborted) reject(new ModuleError('CANCELLED', `The installation of ${spec} was stopped.`))
      else if (code === 0) resolve()
      else fail(reasonOf(said) || `it ended with code ${code}`)
    })
  })
}

/** What npm's codes mean here; npm itself says it in many lines. */
const reasons: Readonly<Record<string, string>> = {
  E404: 'there is no such package. Check its name (a folder is named with ./ before it).',
  ETARGET: 'the package has no such version.',
  ENOTCACHED: "npm's cache does not hold it (ENOTCACHED). Leave --offline out to fetch it.",
  ENOTFOUND: 'the registry cannot be reached. Check the network, or take it from a folder or a .tgz.',
  EAI_AGAIN: 'the registry cannot be reached. Check the network, or take it from a folder or a .tgz.',
  ECONNREFUSED: 'the registry cannot be reached. Check the network, or take it from a folder or a .tgz.',
  ETIMEDOUT: 'the registry does not answer. Check the network, or take it from a folder or a .tgz.',
  ENOSPC: 'the disk is full. Free some space and try again.',
}

function reasonOf(said: readonly string[]): string {
  const code = said.map((line) => /^code (\w+)$/.exec(line)?.[1]).find((found) => found !== undefined)
  return reasons[code ?? ''] ?? said.filter((line) => line !== '' && !/complete log|debug-0/.test(line)).join(' ')
}

/** npm's own file under this Node where it is (no shell needed, on Windows too), else `npm` on the PATH. */
function npmCommand(): [string, ...string[]] {
  const beside = dirname(process.execPath)
  const file = join('node_modules', 'npm', 'bin', 'npm-cli.js')
  const found = [join(beside, file), join(beside, '..', 'lib', file)].find(existsSync)
  return found === undefined ? ['npm'] : [process.execPath, found]
}

// A parent npm's settings (`npm run …`) would be taken for this one's.
function environment(): NodeJS.ProcessEnv {
  const { npm_config_ignore_scripts: _scripts, npm_config_global: _global, npm_config_prefix: _prefix, ...rest } = process.env
  return rest
}
