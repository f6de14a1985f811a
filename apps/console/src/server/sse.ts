/** One server-sent event; its kind is `message` where the server names none. */
export interface ServerEvent {
  readonly kind: string
  readonly data: string
}

/** The events in a stream of bytes, however it is cut. Comments are left out. */
export async function* serverEvents(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of chunks) {
    rest += decoder.decode(chunk, { stream: true })
    const blocks = rest.split(/\r?\n\r?\n/)
    rest = blocks.pop()!
    for (const block of blocks) {
      const event = eventOf(block)
      if (event) yield event
    }
  }
}

function eventOf(block: string): ServerEvent | undefined {
  let kind = 'message'
  const data: string[] = []
  for (const line of block.split(/\r?\n/)) {
    const [, field, value = ''] = /^(\w+): ?(.*)$/.exec(line) ?? []
    if (field === 'event') kind = value
    if (field === 'data') data.push(value)
  }
  return data.length > 0 ? { kind, data: data.join('\n') } : undefined
}
