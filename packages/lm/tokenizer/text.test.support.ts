import fc from 'fast-check'

/** How many cases a property test runs: a few hundred, twenty times that when soaking. */
export function runs(cases: number): { numRuns: number } {
  return { numRuns: process.env.ENIGMA_SOAK ? cases * 20 : cases }
}

/** Text of every kind that tokenizers stumble over. */
export function anyText(): fc.Arbitrary<string> {
  const piece = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.string({ unit: 'binary' }),
    // Bytes as characters, and UTF-16 units of any kind: lone surrogates, too.
    fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('latin1')),
    fc.uint16Array({ maxLength: 6 }).map((units) => String.fromCharCode(...units)),
    fc.constantFrom(' ', '  ', '\n', '\r\n', '\t', '\u00a0', '\u0085', '\ufeff', '\u3000', "'s", " 'll", "'re", "don't", '\0'),
    fc.constantFrom(
      '👩‍👩‍👧‍👦',
      '🏳️‍🌈',
      '你好，世界',
      'e\u0301\u0323',
      '한국어',
      'مرحبا',
      '١٢٣',
      '½',
      '<|endoftext|>',
      '<|im_end|>',
    ),
    fc
      .tuple(fc.constantFrom('a', ' ', 'ab', '👍', '\n'), fc.integer({ min: 0, max: 120 }))
      .map(([text, count]) => text.repeat(count)),
  )
  return fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''))
}

/** The text as UTF-8 can hold it: lone surrogates are U+FFFD. */
export function wellFormed(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8')
}
