import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Conversations by name, each a list of `{ role, content }`, in one JSON file. */
export class ConversationFile {
  #path
  #conversations
  #writing = Promise.resolve()

  constructor(path, conversations) {
    this.#path = path
    this.#conversations = conversations
  }

  /** A file that is not there is an empty one. @throws Error when it is no JSON object of lists */
  static async open(path) {
    const text = await readFile(path, 'utf8').catch((error) => {
      if (error.code === 'ENOENT') return '{}'
      throw error
    })
    const conversations = new Map(Object.entries(JSON.parse(text)))
    for (const messages of conversations.values()) {
      if (!Array.isArray(messages)) throw new Error(`${path} holds no conversations. Move it away or set another { path }.`)
    }
    return new ConversationFile(path, conversations)
  }

  list() {
    return [...this.#conversations.keys()]
  }

  messages(name) {
    return [...(this.#conversations.get(name) ?? [])]
  }

  /** Resolves when it is on the disk. */
  add(name, ...messages) {
    this.#conversations.set(name, [...this.messages(name), ...messages])
    return this.#write()
  }

  clear(name) {
    this.#conversations.delete(name)
    return this.#write()
  }

  /** When what was added until now is on the disk, or could not be written: whoever added it was told. */
  written() {
    return this.#writing.catch(() => undefined)
  }

  // One after another, each a whole file put in the place of the last: a crash leaves the old text or the new.
  #write() {
    this.#writing = this.written().then(async () => {
      await mkdir(dirname(this.#path), { recursive: true })
      await writeFile(`${this.#path}.tmp`, JSON.stringify(Object.fromEntries(this.#conversations), null, 2), { flush: true })
      await rename(`${this.#path}.tmp`, this.#path)
    })
    return this.#writing
  }
}
