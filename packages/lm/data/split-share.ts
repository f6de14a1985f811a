import type { TokenIndex } from './token-index.js'
import { TokenShards } from './token-shards.js'

/** Tokens looked at together. */
const step = 1 << 16

/**
 * Holds out the last `share` of the tokens, from the next beginning of a document on; in the middle of a document where half of the held-out part
 * would pass without a beginning, as in one long text.
 */
export function splitShare(folder: string, index: TokenIndex, share: number): TokenIndex['splits'] {
  using shards = new TokenShards(folder, index)
  const { end, bytes, learned } = index.splits.train
  const { unlearned } = index
  const wanted = Math.floor(end * (1 - share))
  const start = findToken(shards, index.eosId, wanted, Math.floor((wanted + end) / 2))
  let [heldBytes, heldLearned] = [0, 0]
  // The first token of a part is only ever an input, yet its bytes are that part's text.
  for (let at = start ?? wanted; at < end; at += step) {
    for (const id of shards.read(at, Math.min(step, end - at))) {
      if (unlearned !== 0 && id >= unlearned) continue
      heldBytes += index.tokenBytes[id]!
      heldLearned++
    }
  }
  return {
    // The end-of-text token at the border ends the one part and begins the other.
    train: {
      start: 0,
      end: start === undefined ? wanted : start + 1,
      bytes: Math.max(0, bytes - heldBytes),
      learned: learned - heldLearned,
    },
    validation: { start: start ?? wanted, end, bytes: heldBytes, learned: heldLearned },
  }
}

function findToken(shards: TokenShards, id: number, from: number, to: number): number | undefined {
  for (let at = from; at < to; at += step) {
    const found = shards.read(at, Math.min(step, to - at)).indexOf(id)
    if (found >= 0) return at + found
  }
  return undefined
}
