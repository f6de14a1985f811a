import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from 'node:crypto'
import { link, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ModuleError, messageOf } from '../errors.js'

// Secrets at rest: AES-256-GCM under a key in a file that only the user may read, made when the first secret is saved.
// Whoever can read that file can read the secrets: this keeps them out of backups, repositories and screens, not from the user.

/** How a sealed value stands in a saved config. */
export interface Sealed {
  /** base64 of nonce (12 bytes), tag (16) and ciphertext. */
  readonly $sealed: string
}

export class SecretBox {
  readonly #keyFile: string
  #key: Promise<Buffer> | undefined

  constructor(keyFile: string) {
    this.#keyFile = keyFile
  }

  /** @param about what the value is for; it opens for that only */
  async seal(value: unknown, about: string): Promise<Sealed> {
    this.#key ??= this.#makeKey()
    const nonce = randomBytes(12)
    const cipher = createCipheriv('aes-256-gcm', await this.#settled(), nonce).setAAD(Buffer.from(about))
    const text = Buffer.concat([cipher.update(JSON.stringify(value), 'utf8'), cipher.final()])
    return { $sealed: Buffer.concat([nonce, cipher.getAuthTag(), text]).toString('base64') }
  }

  /** @throws ModuleError `SECRET_UNREADABLE` when it was sealed with another key, for something else, or is damaged */
  async open({ $sealed }: Sealed, about: string): Promise<unknown> {
    this.#key ??= this.#readKey()
    const key = await this.#settled()
    try {
      const bytes = Buffer.from($sealed, 'base64')
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 })
      decipher.setAAD(Buffer.from(about)).setAuthTag(bytes.subarray(12, 28))
      return JSON.parse(Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8'))
    } catch (cause) {
      const message = `The secret ${about} cannot be read: it was saved with another key than ${this.#keyFile}. Give it again.`
      throw new ModuleError('SECRET_UNREADABLE', message, { cause })
    }
  }

  async #settled(): Promise<Buffer> {
    try {
      return await this.#key!
    } catch (error) {
      // Tried again next time: the file may be there then.
      this.#key = undefined
      throw error
    }
  }

  // Written aside and linked: whoever comes second finds a whole key, never a half one.
  async #makeKey(): Promise<Buffer> {
    const aside = `${this.#keyFile}.${randomUUID().slice(0, 8)}.tmp`
    try {
      await mkdir(dirname(this.#keyFile), { recursive: true, mode: 0o700 })
      const key = randomBytes(32)
      await writeFile(aside, key, { mode: 0o600, flush: true })
      await link(aside, this.#keyFile)
      return key
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return await this.#readKey()
      throw this.#unusable(messageOf(error), error)
    } finally {
      await rm(aside, { force: true })
    }
  }

  async #readKey(): Promise<Buffer> {
    let key: Buffer
    let mode: number
    try {
      key = await readFile(this.#keyFile)
      mode = (await stat(this.#keyFile)).mode
    } catch (error) {
      throw this.#unusable(messageOf(error), error)
    }
    if (key.length !== 32) throw this.#unusable(`it has ${key.length} bytes instead of 32`)
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) throw this.#unusable('others may read it; run chmod 600 on it')
    return key
  }

  #unusable(why: string, cause?: unknown): ModuleError {
    const message = `The key of saved secrets, ${this.#keyFile}, cannot be used: ${why}. Put it right, or remove it and give the secrets again.`
    return new ModuleError('SECRET_UNREADABLE', message, { cause })
  }
}

export function isSealed(value: unknown): value is Sealed {
  return typeof value === 'object' && value !== null && typeof (value as { $sealed?: unknown }).$sealed === 'string'
}
