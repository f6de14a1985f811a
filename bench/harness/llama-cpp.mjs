/** llama.cpp as a peer, through node-llama-cpp, which carries it ready-built: finding it, and installing it on demand. */
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const pinned = '3.21.0'
const own = fileURLToPath(new URL('../peers/llama-cpp', import.meta.url))

/**
 * Looks in the folder `ENIGMA_LLAMA_CPP`, in bench/peers/llama-cpp, and among the packages of the workspace.
 * @returns `{ url, version }` of its module, or `{ reason }`
 */
export function findLlamaCpp() {
  for (const folder of [process.env.ENIGMA_LLAMA_CPP, own, fileURLToPath(new URL('..', import.meta.url))]) {
    if (folder === undefined) continue
    try {
      const file = createRequire(join(resolve(folder), 'package.json')).resolve('node-llama-cpp')
      const { version } = JSON.parse(readFileSync(join(file, '../../package.json'), 'utf8'))
      return { url: pathToFileURL(file).href, version }
    } catch {
      // Not there; it is next looked for elsewhere.
    }
  }
  return { reason: 'not installed; install: npm run bench -- decode --install, or ENIGMA_LLAMA_CPP=<folder with node-llama-cpp>' }
}

/** Installs it into bench/peers/llama-cpp; about 700 MB, as its packages for graphics cards come along. */
export async function installLlamaCpp() {
  mkdirSync(own, { recursive: true })
  const args = ['install', '--prefix', own, '--ignore-scripts', '--no-audit', '--no-fund', `node-llama-cpp@${pinned}`]
  const child = spawn('npm', args, { stdio: ['ignore', 2, 2], shell: process.platform === 'win32' })
  await new Promise((done, reject) => {
    child.once('error', reject)
    child.once('close', (code) => (code === 0 ? done() : reject(new Error(`npm install ended with exit code ${code}`))))
  })
}
