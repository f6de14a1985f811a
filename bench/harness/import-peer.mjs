/** A peer's code, from bench/peers; no dependency of the workspace. */
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const require = createRequire(new URL('../peers/package.json', import.meta.url))

/** The URL of a peer's main file. */
export function peerFile(name) {
  return pathToFileURL(require.resolve(name)).href
}

export function importPeer(name) {
  return import(peerFile(name))
}
