/** mitt; its wildcard is given the name first. */
import { importPeer } from '../../harness/import-peer.mjs'

const { default: mitt } = await importPeer('mitt')

export function subject() {
  const emitter = mitt()
  return { ...emitter, onAny: (make) => emitter.on('*', make('name, payload')) }
}
