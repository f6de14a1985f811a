// Whom to unload so that another fits. Pure.

/** Questions asked before the search for the fewest is given up for a good answer. */
const maxTries = 200

/**
 * The fewest candidates that make it fit; of several such sets, the one with the least recently used. Undefined when all of them
 * together are not enough.
 * @param candidates least recently used first
 * @param fits whether it fits once these are gone
 */
export function chooseVictims<T>(candidates: readonly T[], fits: (gone: readonly T[]) => boolean): readonly T[] | undefined {
  if (candidates.length === 0 || !fits(candidates)) return undefined
  let tries = 0
  for (let count = 1; count < candidates.length; count++) {
    for (const gone of combinations(candidates, count)) {
      if (++tries > maxTries) return withoutNeedless(candidates, fits)
      if (fits(gone)) return gone
    }
  }
  return candidates
}

/** All choices of `count`, those with the first candidates first. */
function* combinations<T>(candidates: readonly T[], count: number, from = 0): Generator<readonly T[]> {
  if (count === 0) return yield []
  for (let i = from; i <= candidates.length - count; i++) {
    for (const rest of combinations(candidates, count - 1, i + 1)) yield [candidates[i]!, ...rest]
  }
}

// None of what is left could stay, though another choice might be smaller.
function withoutNeedless<T>(candidates: readonly T[], fits: (gone: readonly T[]) => boolean): readonly T[] {
  let gone = candidates
  for (const candidate of candidates.toReversed()) {
    const fewer = gone.toSpliced(gone.lastIndexOf(candidate), 1)
    if (fits(fewer)) gone = fewer
  }
  return gone
}
