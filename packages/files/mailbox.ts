import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rm, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { writeAtomic } from './write-atomic.js'

/** Messages that wait at most: when nobody takes them, the disk does not fill up. */
const capacity = 1000
/** Letters of a message at most. */
const maxLength = 65_536

/**
 * Short messages that other processes leave for the one that takes them, a file each (as in a maildir): it appears whole or
 * not at all, and whoever removes it has it. Each message is taken once.
 */
export class Mailbox {
  readonly folder: string

  constructor(folder: string) {
    this.folder = folder
  }

  /** @returns false when it is full (nobody takes what is there) or the message is too long */
  async leave(message: string): Promise<boolean> {
    if (message.length > maxLength || (await this.#names()).length >= capacity) return false
    // Names sort by time; microseconds, as one process may leave several within a millisecond.
    const time = Math.round((performance.timeOrigin + performance.now()) * 1000)
    await writeAtomic(join(this.folder, `${time}-${randomUUID().slice(0, 8)}.mail`), message)
    return true
  }

  /** What was left since the last time, oldest first. */
  async take(): Promise<string[]> {
    const messages: string[] = []
    for (const name of await this.#names()) {
      const path = join(this.folder, name)
      try {
        const message = await readFile(path, 'utf8')
        await unlink(path)
        messages.push(message)
      } catch {
        // Another taker was first.
      }
    }
    return messages
  }

  /** Makes the folder: that it is there tells others that somebody takes. */
  async open(): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 })
  }

  /** Removes it with what is in it. */
  async close(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true })
  }

  async #names(): Promise<string[]> {
    const names = await readdir(this.folder).catch(() => [])
    return names.filter((name) => name.endsWith('.mail')).sort()
  }
}
