import { closeSync, existsSync, fstatSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, writeSync } from 'node:fs'
import { extname, join } from 'node:path'

// A file of lines that is put aside when it is full: enigma.log, enigma.1.log (the one before), enigma.2.log …
// Lines are written at once and in order, so that what was logged before a crash is there after it.

export class RotatingFile {
  readonly path: string
  readonly #folder: string
  /** `enigma` and `.log`. */
  readonly #stem: string
  readonly #extension: string
  readonly #maxSize: number
  readonly #maxFiles: number
  #descriptor: number | undefined
  #size = 0
  #problem: string | undefined

  /**
   * Opens (appending) or makes the file.
   * @param maxSize bytes; a line that would grow the file past it goes to a new one
   * @param maxFiles files kept, the current one included
   * @throws the system's error when the folder cannot be made or written to
   */
  constructor(folder: string, name: string, maxSize: number, maxFiles: number) {
    this.#folder = folder
    this.#extension = extname(name)
    this.#stem = name.slice(0, name.length - this.#extension.length)
    this.#maxSize = maxSize
    this.#maxFiles = maxFiles
    this.path = join(folder, name)
    this.#open()
  }

  /** Bytes in the current file. */
  get size(): number {
    return this.#size
  }

  /** Why the last line could not be written, or undefined. */
  get problem(): string | undefined {
    return this.#problem
  }

  /** Rotated files, newest first. */
  get rotated(): string[] {
    return readdirSync(this.#folder)
      .map((file) => ({ file, age: this.#age(file) }))
      .filter(({ age }) => age > 0)
      .sort((a, b) => a.age - b.age)
      .map(({ file }) => file)
  }

  /** Never throws: a full disk must not take down what is being logged. `problem` tells. */
  write(line: string): void {
    const bytes = Buffer.from(line)
    try {
      if (this.#size > 0 && this.#size + bytes.length > this.#maxSize) this.#rotate()
      if (this.#descriptor === undefined) this.#open()
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#descriptor!, bytes, at)
      this.#size += bytes.length
      this.#problem = undefined
    } catch (error) {
      this.#problem = (error as Error).message
    }
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor)
    this.#descriptor = undefined
  }

  #open(): void {
    // Made anew where someone has removed it: the log goes on.
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
    this.#descriptor = openSync(this.path, 'a', 0o600)
    this.#size = fstatSync(this.#descriptor).size
  }

  #rotate(): void {
    this.close()
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
    for (const file of this.rotated) if (this.#age(file) >= this.#maxFiles - 1) rmSync(join(this.#folder, file))
    for (let age = this.#maxFiles - 2; age >= 0; age--) {
      const from = age === 0 ? this.path : this.#aged(age)
      if (existsSync(from)) renameSync(from, this.#aged(age + 1))
    }
    if (this.#maxFiles === 1) rmSync(this.path, { force: true })
    this.#open()
  }

  #aged(age: number): string {
    return join(this.#folder, `${this.#stem}.${age}${this.#extension}`)
  }

  /** 1 for the newest rotated file; 0 for any other file. */
  #age(file: string): number {
    if (!file.startsWith(`${this.#stem}.`) || !file.endsWith(this.#extension)) return 0
    const middle = file.slice(this.#stem.length + 1, file.length - this.#extension.length)
    return /^\d+$/.test(middle) ? Number(middle) : 0
  }
}
