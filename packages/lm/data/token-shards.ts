import { createHash } from 'node:crypto'
import { closeSync, createReadStream, fstatSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { LmError } from '../errors.js'
import type { TokenIndex } from './token-index.js'

/** Reads tokens anywhere in a sequence that lies in several files, by position: nothing is held in memory but what is asked for. */
export class TokenShards implements Disposable {
  readonly #folder: string
  readonly #shards: TokenIndex['shards']
  readonly #width: 2 | 4
  readonly #files: number[] = []
  /** By shard: the place of its first token; then the number of all tokens. */
  readonly #starts: number[] = [0]
  #scratch: Uint16Array | Uint32Array

  /** @throws LmError FILE_NOT_FOUND, FILE_TRUNCATED where a file does not have the size the index says */
  constructor(folder: string, { shards, dtype }: TokenIndex) {
    this.#folder = folder
    this.#shards = shards
    this.#width = dtype === 'u16' ? 2 : 4
    this.#scratch = dtype === 'u16' ? new Uint16Array(1024) : new Uint32Array(1024)
    try {
      for (const shard of shards) this.#open(shard)
    } catch (error) {
      this[Symbol.dispose]()
      throw error
    }
  }

  /** The tokens [start, start + count) as a view that the next read overwrites. */
  read(start: number, count: number): Uint16Array | Uint32Array {
    if (count > this.#scratch.length) this.#scratch = this.#width === 2 ? new Uint16Array(count * 2) : new Uint32Array(count * 2)
    let done = 0
    for (let shard = this.#shardOf(start); done < count; shard++) {
      const from = start + done - this.#starts[shard]!
      const part = Math.min(count - done, this.#shards[shard]!.tokens - from)
      this.#readPart(shard, from, part, done)
      done += part
    }
    return this.#scratch.subarray(0, count)
  }

  /**
   * Compares the files with their hashes.
   * @throws LmError HASH_MISMATCH naming the file
   */
  async verify(): Promise<void> {
    for (const { file, sha256 } of this.#shards) {
      const path = join(this.#folder, file)
      const hash = createHash('sha256')
      for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) hash.update(chunk)
      if (hash.digest('hex') !== sha256) throw new LmError('HASH_MISMATCH', `${path} is damaged. Prepare the data again`)
    }
  }

  [Symbol.dispose](): void {
    for (const file of this.#files.splice(0)) closeSync(file)
  }

  #open({ file, tokens }: TokenIndex['shards'][number]): void {
    const path = join(this.#folder, file)
    let descriptor: number
    try {
      descriptor = openSync(path, 'r')
    } catch (error) {
      throw new LmError('FILE_NOT_FOUND', `Cannot open ${path}. Prepare the data again`, { cause: error })
    }
    this.#files.push(descriptor)
    this.#starts.push(this.#starts.at(-1)! + tokens)
    const { size } = fstatSync(descriptor)
    if (size !== tokens * this.#width) {
      throw new LmError('FILE_TRUNCATED', `${path} has ${size} bytes, not ${tokens * this.#width}. Prepare the data again`)
    }
  }

  #shardOf(token: number): number {
    let [low, high] = [0, this.#shards.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.#starts[middle]! <= token) low = middle
      else high = middle - 1
    }
    return low
  }

  #readPart(shard: number, from: number, count: number, to: number): void {
    const bytes = count * this.#width
    for (let done = 0; done < bytes; ) {
      const at = this.#scratch.byteOffset + to * this.#width + done
      const view = new Uint8Array(this.#scratch.buffer, at, bytes - done)
      const got = readSync(this.#files[shard]!, view, 0, view.length, from * this.#width + done)
      if (got === 0)
        throw new LmError('FILE_TRUNCATED', `${join(this.#folder, this.#shards[shard]!.file)} became shorter while in use`)
      done += got
    }
  }
}
