/** What is kept per cycle: a straight line through the memory in use, and how sure its slope is. */

/**
 * Least squares; the interval is two standard errors, about 95 % for twenty points and more.
 * @param points `[x, y]`, at least three, not all at one x
 * @returns `{ slope, low, high }` in units of y for each x
 */
export function slopeOf(points) {
  const n = points.length
  const mean = (index) => points.reduce((sum, point) => sum + point[index], 0) / n
  const [meanX, meanY] = [mean(0), mean(1)]
  const spread = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
  const slope = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / spread
  const residual = points.reduce((sum, [x, y]) => sum + (y - meanY - slope * (x - meanX)) ** 2, 0)
  const error = 2 * Math.sqrt(residual / (n - 2) / spread)
  return { slope, low: slope - error, high: slope + error }
}
