import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { folders } from '../folders.js'

/** The lines typed in earlier chats, newest first, for the arrow keys. Readable by the user alone. */
export class ChatHistory {
  static readonly limit = 500
  readonly #path = join(folders().data, 'chat-history')

  get lines(): string[] {
    try {
      return readFileSync(this.#path, 'utf8').split('\n').filter(Boolean).slice(0, ChatHistory.limit)
    } catch {
      return []
    }
  }

  /** A home folder that cannot be written costs the history, not the chat: `enigma doctor` tells. */
  save(lines: readonly string[]): void {
    try {
      mkdirSync(dirname(this.#path), { recursive: true })
      writeFileSync(this.#path, `${lines.join('\n')}\n`, { mode: 0o600 })
    } catch {
      return
    }
  }
}
