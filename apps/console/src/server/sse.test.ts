import { expect, it } from 'vitest'
import { serverEvents } from './sse.js'

async function read(text: string, cut: number): Promise<unknown[]> {
  const bytes = new TextEncoder().encode(text)
  async function* chunks() {
    for (let at = 0; at < bytes.length; at += cut) yield bytes.subarray(at, at + cut)
  }
  const events: unknown[] = []
  for await (const event of serverEvents(chunks())) events.push(event)
  return events
}

it('the same events come out however the stream is cut, also within a letter', async () => {
  const text = ': hi\n\nid: 1\ndata: {"a":"é✓"}\n\nevent: overflow\r\ndata: 1\r\ndata: 2\r\n\r\ndata: [DONE]\n\ndata: unfinished'
  const whole = [
    { kind: 'message', data: '{"a":"é✓"}' },
    { kind: 'overflow', data: '1\n2' },
    { kind: 'message', data: '[DONE]' },
  ]
  for (const cut of [1, 2, 3, 7, 1000]) expect(await read(text, cut)).toEqual(whole)
})
