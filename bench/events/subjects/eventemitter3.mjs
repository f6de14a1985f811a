import { importPeer } from '../../harness/import-peer.mjs'

const { default: EventEmitter } = await importPeer('eventemitter3')

export function subject() {
  return new EventEmitter()
}
