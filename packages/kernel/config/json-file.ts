import { readFile, stat } from 'node:fs/promises'
import { ModuleError, type ModuleErrorCode, messageOf } from '../errors.js'

// JSON files that people may have edited: what is wrong with one is an error with its path and line.

/** Bytes; a saved set with the fingerprints of a hundred modules has about one million. */
const maxBytes = 2 ** 24
const maxDepth = 64

export class JsonFile {
  readonly #path: string
  readonly #text: string
  readonly #code: ModuleErrorCode
  /** What the file is, and what to do when it is damaged. */
  readonly #words: { readonly name: string; readonly fix: string }

  constructor(path: string, text: string, code: ModuleErrorCode, words: { readonly name: string; readonly fix: string }) {
    this.#path = path
    this.#text = text
    this.#code = code
    this.#words = words
  }

  /** @throws ModuleError `code` when the file cannot be read */
  static async read(
    path: string,
    code: ModuleErrorCode,
    words: { readonly name: string; readonly fix: string },
  ): Promise<JsonFile> {
    try {
      const info = await stat(path)
      if (!info.isFile()) throw new Error('it is no file')
      if (info.size > maxBytes) throw new Error(`it has ${info.size} bytes; at most ${maxBytes} are read`)
      return new JsonFile(path, await readFile(path, 'utf8'), code, words)
    } catch (cause) {
      throw new ModuleError(code, `${words.name} ${path} cannot be read: ${messageOf(cause)}`, { cause, file: path, line: 1 })
    }
  }

  /** The object in the file. @throws ModuleError when it is no JSON, or no object, or nested beyond reason */
  parse(): Record<string, unknown> {
    let value: unknown
    try {
      value = JSON.parse(this.#text)
    } catch (cause) {
      const place = /position (\d+)/.exec(messageOf(cause))
      const line = this.#lineAt(place ? Number(place[1]) : this.#text.length)
      const message = `${this.#words.name} ${this.#path}:${line} cannot be read: it is no JSON. ${this.#words.fix}`
      throw new ModuleError(this.#code, message, { cause, file: this.#path, line })
    }
    if (!isMap(value)) throw this.malformed('it is no object')
    if (deeperThan(value, maxDepth)) throw this.malformed(`it is nested deeper than ${maxDepth} levels`)
    return value
  }

  /** An error at the line of the first key of that name. */
  malformed(what: string, key?: string): ModuleError {
    const line = this.line(key)
    const message = `${this.#words.name} ${this.#path}:${line} is malformed: ${what}. ${this.#words.fix}`
    return new ModuleError(this.#code, message, { file: this.#path, line })
  }

  /** From 1. */
  line(key: string | undefined): number {
    const quoted = key === undefined ? '' : JSON.stringify(key).replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
    const found = key === undefined ? undefined : new RegExp(`${quoted}\\s*:`).exec(this.#text)
    return found ? this.#lineAt(found.index) : 1
  }

  #lineAt(index: number): number {
    let line = 1
    for (let i = this.#text.indexOf('\n'); i >= 0 && i < index; i = this.#text.indexOf('\n', i + 1)) line++
    return line
  }
}

export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

// Without recursion: the parser has no limit of its own.
function deeperThan(root: unknown, limit: number): boolean {
  const left: [unknown, number][] = [[root, 0]]
  for (let top = left.pop(); top !== undefined; top = left.pop()) {
    const [node, depth] = top
    if (typeof node !== 'object' || node === null) continue
    if (depth > limit) return true
    for (const child of Object.values(node)) left.push([child, depth + 1])
  }
  return false
}
