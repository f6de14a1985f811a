/** tseep, which writes code for each name. */
import { importPeer } from '../../harness/import-peer.mjs'

const tseep = await importPeer('tseep')

export function subject() {
  return new (tseep.EventEmitter ?? tseep.default.EventEmitter)()
}
