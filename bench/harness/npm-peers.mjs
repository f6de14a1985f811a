/** Peers from the package registry: bench/peers has its own package.json and lock file, installed on demand. */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = new URL('../peers/', import.meta.url)

/** The version installed, or undefined. `name` is the key in bench/peers/package.json. */
function installedVersion(name) {
  const file = new URL(`node_modules/${name}/package.json`, folder)
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).version : undefined
}

/** The version that bench/peers/package.json pins. */
function pinnedVersion(name) {
  const { dependencies } = JSON.parse(readFileSync(new URL('package.json', folder), 'utf8'))
  return dependencies[name].replace(/^npm:.*@/, '')
}

/**
 * Installs what is missing of `names` (all peers at once, by the lock file, without install scripts).
 * @returns `{ versions: { name: version }, absent: [{ subject, reason }] }`
 */
export async function npmPeers(names, log) {
  const missing = () => names.filter((name) => installedVersion(name) !== pinnedVersion(name))
  let failure
  if (missing().length > 0) {
    log(`installing ${missing().join(', ')} into bench/peers`)
    failure = await install()
  }
  const absent = missing().map((subject) => ({ subject, reason: failure ?? 'not installed; run npm ci in bench/peers' }))
  const present = names.filter((name) => !absent.some(({ subject }) => subject === name))
  return { versions: Object.fromEntries(present.map((name) => [name, installedVersion(name)])), absent }
}

/** What went wrong, or undefined. */
async function install() {
  const child = spawn('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: fileURLToPath(folder),
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  })
  return await new Promise((resolve) => {
    child.once('error', (error) => resolve(`npm ci could not start: ${error.message}`))
    child.once('close', (code) => resolve(code === 0 ? undefined : `npm ci ended with exit code ${code}`))
  })
}
