// Names of layer types and of their parameters: how they are compared, and what to say about a mistyped one.

/** The one spelling of a name: `in_channels` is `inChannels`, `MaxPool2d` is `maxpool2d`. */
export const canonical = (name: string): string => name.toLowerCase().replaceAll(/[\s_-]/g, '')

/** ` Did you mean 'x'?` for the known name within an edit distance of a third of its length, else ''. */
export function didYouMean(name: string, known: Iterable<string>): string {
  const limit = Math.max(1, Math.floor(name.length / 3))
  const near = [...known]
    .map((candidate) => ({ candidate, distance: editDistance(canonical(name), canonical(candidate)) }))
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance)
  return near[0] ? ` Did you mean '${near[0].candidate}'?` : ''
}

/** Levenshtein's distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++)
      row.push(Math.min(previous[j]! + 1, row[j - 1]! + 1, previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    previous = row
  }
  return previous[b.length]!
}
