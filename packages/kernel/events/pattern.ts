import { ModuleError } from '../errors.js'

// Names of events are segments joined by dots; in a pattern `*` stands for one segment, `**` for one or more.

/** Whether a name fits the pattern; undefined when the pattern is a plain name. `*` alone means everything, as `**` does. */
export function matcher(pattern: string): ((name: string) => boolean) | undefined {
  if (!pattern.includes('*')) return undefined
  if (pattern === '*' || pattern === '**') return () => true
  const wanted = pattern.split('.')
  for (const segment of wanted) {
    if (segment.includes('*') && segment !== '*' && segment !== '**') {
      const fix = `Write whole segments: 'a.*', 'a.**', '**'.`
      throw new ModuleError('BAD_SUBSCRIPTION', `'${segment}' in the event pattern '${pattern}' is part of a segment. ${fix}`)
    }
  }
  return (name) => fits(wanted, name.split('.'))
}

// Not a regular expression: with several `**` those take exponential time. Only the last `**` ever needs to take more.
function fits(wanted: readonly string[], name: readonly string[]): boolean {
  let w = 0
  let n = 0
  let retryPattern = -1
  let retryName = 0
  while (n < name.length) {
    if (wanted[w] === '**') {
      retryPattern = ++w
      retryName = ++n
    } else if (w < wanted.length && (wanted[w] === '*' || wanted[w] === name[n])) {
      w++
      n++
    } else if (retryPattern >= 0) {
      w = retryPattern
      n = ++retryName
    } else return false
  }
  return w === wanted.length
}
