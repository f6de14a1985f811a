import { createHash, type Hash, randomBytes } from 'node:crypto'
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { syncFolder, temporaryName, writeError } from '@enigma/tensor/formats'
import type { TokenIndex } from './token-index.js'

/** Tokens gathered before they are written: a megabyte or two. */
const bufferTokens = 1 << 19

interface OpenShard {
  readonly aside: string
  readonly handle: FileHandle
  readonly hash: Hash
  tokens: number
}

/** Writes a sequence of tokens to numbered files; each is complete, or not there. */
export class ShardWriter implements AsyncDisposable {
  readonly #folder: string
  readonly #prefix: string
  readonly #shardTokens: number
  readonly #buffer: Uint16Array | Uint32Array
  readonly #shards: TokenIndex['shards'][number][] = []
  #buffered = 0
  #current: OpenShard | undefined
  #tokens = 0

  /** @param shardTokens tokens per file */
  constructor(folder: string, prefix: string, dtype: TokenIndex['dtype'], shardTokens: number) {
    this.#folder = folder
    this.#prefix = prefix
    this.#shardTokens = shardTokens
    const length = Math.min(bufferTokens, shardTokens)
    this.#buffer = dtype === 'u16' ? new Uint16Array(length) : new Uint32Array(length)
  }

  /** How many tokens were appended. */
  get tokens(): number {
    return this.#tokens
  }

  /** @throws TensorError DISK_FULL, NOT_WRITABLE, WRITE_FAILED */
  async append(ids: Uint32Array): Promise<void> {
    for (let from = 0; from < ids.length; ) {
      const room = this.#buffer.length - this.#buffered
      const part = ids.subarray(from, from + room)
      this.#buffer.set(part, this.#buffered)
      this.#buffered += part.length
      this.#tokens += part.length
      from += part.length
      if (this.#buffered === this.#buffer.length) await this.#flush()
    }
  }

  /** Completes the last file. */
  async finish(): Promise<TokenIndex['shards']> {
    await this.#flush()
    await this.#close()
    return this.#shards
  }

  /** Removes what is incomplete. */
  async [Symbol.asyncDispose](): Promise<void> {
    const current = this.#current
    if (!current) return
    this.#current = undefined
    await current.handle.close().catch(() => undefined)
    await rm(current.aside, { force: true }).catch(() => undefined)
  }

  async #flush(): Promise<void> {
    for (let from = 0; from < this.#buffered; ) {
      const current = (this.#current ??= await this.#open())
      const count = Math.min(this.#buffered - from, this.#shardTokens - current.tokens)
      const width = this.#buffer.BYTES_PER_ELEMENT
      const bytes = new Uint8Array(this.#buffer.buffer, from * width, count * width)
      current.hash.update(bytes)
      try {
        for (let done = 0; done < bytes.length; ) done += (await current.handle.write(bytes, done)).bytesWritten
      } catch (error) {
        throw writeError(error, this.#path())
      }
      current.tokens += count
      from += count
      if (current.tokens === this.#shardTokens) await this.#close()
    }
    this.#buffered = 0
  }

  async #open(): Promise<OpenShard> {
    const aside = join(this.#folder, temporaryName(this.#name(), randomBytes(4).toString('hex')))
    try {
      await mkdir(this.#folder, { recursive: true })
      return { aside, handle: await open(aside, 'w'), hash: createHash('sha256'), tokens: 0 }
    } catch (error) {
      throw writeError(error, this.#path())
    }
  }

  async #close(): Promise<void> {
    const current = this.#current
    if (!current) return
    try {
      await current.handle.sync()
      await current.handle.close()
      await rename(current.aside, this.#path())
      await syncFolder(this.#folder)
    } catch (error) {
      throw writeError(error, this.#path())
    }
    this.#shards.push({ file: this.#name(), tokens: current.tokens, sha256: current.hash.digest('hex') })
    this.#current = undefined
  }

  #name(): string {
    return `${this.#prefix}-${String(this.#shards.length).padStart(5, '0')}.bin`
  }

  #path(): string {
    return join(this.#folder, this.#name())
  }
}
