/** All of stdin as text, without its last line break. */
export async function readStdin(): Promise<string> {
  process.stdin.setEncoding('utf8')
  let text = ''
  for await (const piece of process.stdin) text += piece
  return text.replace(/\r?\n$/, '')
}
