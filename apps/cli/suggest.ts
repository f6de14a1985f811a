/** `. Did you mean 'x'?`, or nothing when no known name is near (a third of its letters, at least one, may differ). */
export function suggestion(name: string, known: readonly string[]): string {
  const limit = Math.max(1, Math.floor(name.length / 3))
  const [best] = known
    .map((other) => ({ other, distance: editDistance(name.toLowerCase(), other.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)
  return best && best.distance <= limit ? `. Did you mean '${best.other}'?` : ''
}

/** Levenshtein distance with swapped neighbours as one change (optimal string alignment), row by row. */
function editDistance(a: string, b: string): number {
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const plain = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + same)
      next.push(swapped ? Math.min(plain, before[j - 2]! + 1) : plain)
    }
    before = row
    row = next
  }
  return row[b.length]!
}
