import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ByteStreamDecoder } from '../tokenizer/stream-decoder.js'
import { StopStrings } from './stop-strings.js'
import { TextAssembly } from './text-assembly.js'

const runs = { numRuns: process.env.ENIGMA_SOAK ? 10_000 : 300 }

/** A text and random cuts through its bytes. */
const cutText = fc
  .tuple(
    fc.array(fc.constantFrom('a', 'b', 'ß', '漢', '🦔', '</', 's>', '\n', 'e\u0301'), { maxLength: 24 }),
    fc.array(fc.nat({ max: 80 }), { maxLength: 20 }),
  )
  .map(([parts, cuts]) => {
    const bytes = Buffer.from(parts.join(''))
    const places = [...new Set([0, ...cuts.filter((cut) => cut < bytes.length), bytes.length])].sort((a, b) => a - b)
    return { text: parts.join(''), tokens: places.slice(1).map((end, i) => bytes.subarray(places[i], end)) }
  })
const stopTexts = fc.array(fc.constantFrom('</s>', 'ab', 'bab', '🦔', '🦔🦔', '漢ß', '\n', 'b</', ''), { maxLength: 3 })

function assemble(tokens: readonly Uint8Array[], stops: readonly string[]) {
  const assembly = new TextAssembly(new ByteStreamDecoder((id) => tokens[id]!), stops)
  const pieces: string[] = []
  for (const id of tokens.keys()) {
    pieces.push(assembly.push(id))
    if (assembly.stop !== undefined) break
  }
  pieces.push(assembly.end())
  return { pieces, text: assembly.text, stop: assembly.stop }
}

it('however tokens cut a text, pieces are whole characters and end before the stop string that is complete first', () => {
  fc.assert(
    fc.property(cutText, stopTexts, ({ text, tokens }, stops) => {
      const { pieces, ...result } = assemble(tokens, stops)
      for (const piece of pieces) expect(piece).not.toMatch(/\p{Surrogate}|\ufffd/u)
      expect(pieces.join('')).toBe(result.text)
      // Reference: character by character, the first moment at which the text ends with a stop string.
      let expected: { text: string; stop: string | undefined } = { text, stop: undefined }
      for (let end = 1; end <= text.length && expected.stop === undefined; end++) {
        const hits = stops.filter((stop) => stop !== '' && text.slice(0, end).endsWith(stop))
        const [stop] = hits.sort((a, b) => b.length - a.length)
        if (stop !== undefined) expected = { text: text.slice(0, end - stop.length), stop }
      }
      expect(result).toEqual(expected)
    }),
    runs,
  )
})

it('bytes that never become a character give U+FFFD at the end only', () => {
  const { pieces } = assemble([Buffer.from('a'), Uint8Array.of(0xf0, 0x9f)], [])
  expect(pieces).toEqual(['a', '', '\ufffd'])
})

it('half a character as a stop string is refused', () => {
  expect(() => new StopStrings(['ok', '🦔'.slice(0, 1)])).toThrow(/stop must be texts of whole characters/)
})
