/**
 * The 256 visible characters that byte-level tokens are written with (GPT-2, openai/gpt-2 `encoder.py`, `bytes_to_unicode`):
 * printable bytes stand for themselves, the others for the code points from 256 on.
 */
export const byteCharacters: readonly string[] = characters()

const byteOfCharacter: ReadonlyMap<string, number> = new Map(byteCharacters.map((character, byte) => [character, byte]))

/** A token's bytes as they are written in `tokenizer.json`. */
export function bytesToToken(bytes: Uint8Array): string {
  let token = ''
  for (const byte of bytes) token += byteCharacters[byte]!
  return token
}

/** The bytes of a token as written in `tokenizer.json`; undefined where a character stands for no byte. */
export function tokenToBytes(token: string): Uint8Array | undefined {
  const bytes = new Uint8Array(token.length)
  for (let i = 0; i < token.length; i++) {
    const byte = byteOfCharacter.get(token[i]!)
    if (byte === undefined) return undefined
    bytes[i] = byte
  }
  return bytes
}

function characters(): string[] {
  const printable = (byte: number) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174
  let next = 256
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++))
}
