/** Median, minimum and maximum of the samples. */

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** A row of the report; `values` are one number for each valid sample. */
export function summary(what, subject, unit, values) {
  return { what, subject, unit, median: median(values), min: Math.min(...values), max: Math.max(...values), n: values.length }
}

/**
 * Our speed over each peer's, by medians: above 1 we are faster.
 * `better` says whether the unit grows with speed ('higher': tokens/s) or falls ('lower': ms).
 */
export function ratios(rows, ours, better) {
  const result = {}
  for (const row of rows) {
    if (row.subject === ours) continue
    const own = rows.find(({ what, subject }) => what === row.what && subject === ours)
    if (own !== undefined)
      result[`${row.what} vs ${row.subject}`] = better === 'higher' ? own.median / row.median : row.median / own.median
  }
  return result
}
