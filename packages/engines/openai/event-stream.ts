import { EngineError } from '../engine-error.js'

/** Characters of one event at most: a server that never ends a line must not fill the memory. */
const longestEvent = 4 * 2 ** 20

/**
 * The data of server-sent events (HTML standard, 9.2.6), from bytes cut anywhere: within characters, lines and line ends. An event
 * that the end of the stream leaves unfinished is none.
 * @throws EngineError BAD_RESPONSE when an event has no end
 */
export async function* eventData(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder()
  let rest = ''
  let data: string[] = []
  let size = 0
  for await (const chunk of bytes) {
    const fresh = decoder.decode(chunk, { stream: true })
    const ends = rest.endsWith('\r') || /[\r\n]/.test(fresh)
    rest += fresh
    if (size + rest.length > longestEvent)
      throw new EngineError('BAD_RESPONSE', `The server sent an event of more than ${longestEvent / 2 ** 20} MB without an end.`)
    // A line that grows byte by byte is not searched anew each time.
    if (!ends) continue
    // A \r at the end may be the first half of a line end.
    const lines = rest.split(/\r\n|\n|\r(?!$)/)
    rest = lines.pop()!
    for (const line of lines) {
      if (line === '') {
        if (data.length > 0) yield data.join('\n')
        data = []
        size = 0
      } else if (line.startsWith('data:')) {
        data.push(line.slice(line[5] === ' ' ? 6 : 5))
        size += line.length
      }
    }
  }
}
