import { execFile, spawn } from 'node:child_process'
import { buffer, text as textOf } from 'node:stream/consumers'
import { promisify } from 'node:util'

/** What `espeak-ng --version` says; undefined where it is not installed. */
export async function espeakVersion() {
  try {
    return (await promisify(execFile)('espeak-ng', ['--version'], { timeout: 5000 })).stdout.trim()
  } catch {
    return undefined
  }
}

/** The bytes of a WAV file. The text goes through standard input: it is no option, whatever it begins with. */
export async function espeak(text, signal) {
  const child = spawn('espeak-ng', ['--stdin', '--stdout'], { signal })
  const ended = new Promise((resolve, reject) => child.on('error', reject).on('close', resolve))
  child.stdin.on('error', () => undefined) // it may end before it has read all; its exit code says why
  child.stdin.end(text)
  const [code, wav, complaint] = await Promise.all([ended, buffer(child.stdout), textOf(child.stderr)])
  if (code !== 0) throw new Error(`espeak-ng ended with ${code}: ${complaint.trim()}`)
  return wav
}
