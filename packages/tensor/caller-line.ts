/** The packages beside this one: lines of theirs are not what people look for. */
const ours = new URL('../..', import.meta.url).pathname

/** ` (at file:line:column)`: the first line outside of these packages that led here, for error messages; '' if there is none. */
export function callerLine(): string {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 100
  const stack = new Error().stack ?? ''
  Error.stackTraceLimit = limit
  const places = stack.split('\n').flatMap((line) => /^ *at .*?\(?([^()]+:\d+:\d+)\)?$/.exec(line)?.[1] ?? [])
  const place = places
    .map((text) => text.replace(/^(async )?(file:\/\/)?/, '').replace(/^at /, ''))
    .find((path) => !(path.includes(ours) || path.startsWith('node:') || path.includes('/node_modules/')))
  return place ? ` (at ${place})` : ''
}
