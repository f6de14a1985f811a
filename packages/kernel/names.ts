// Names of modules and capabilities, and what to say about a mistyped one.

const isCanonical = /^[a-z0-9-]*$/

/** The one spelling of a name: `_` and `-` are alike, case does not count (`Image_Gen_Local` is `image-gen-local`). */
export function canonical(name: string): string {
  return isCanonical.test(name) ? name : name.trim().toLowerCase().replaceAll('_', '-')
}

/** The known name nearest to a mistyped one, or undefined when none is near (edit distance above a third of its length). */
function nearest(name: string, known: Iterable<string>): string | undefined {
  const limit = Math.max(1, Math.floor(name.length / 3))
  let best: string | undefined
  let bestDistance = limit + 1
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase(), bestDistance)
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** `; did you mean 'x'?`, or nothing. */
export function didYouMean(name: string, known: Iterable<string>): string {
  const guess = nearest(name, known)
  return guess === undefined ? '' : `; did you mean '${guess}'?`
}

// Optimal string alignment (Levenshtein with adjacent transpositions), given up once past `limit`.
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit
  let before: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    let low = i
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      let cost = Math.min(previous[j]! + 1, row[j - 1]! + 1, previous[j - 1]! + same)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, before[j - 2]! + 1)
      row.push(cost)
      if (cost < low) low = cost
    }
    if (low >= limit) return limit
    before = previous
    previous = row
  }
  return previous[b.length]!
}
