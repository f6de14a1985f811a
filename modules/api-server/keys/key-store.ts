import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { enigmaFolders, writeAtomic } from '@enigma/files'

/** What a key may do: ask the model, or see and change everything. */
export type KeyScope = 'inference' | 'admin'

export interface ApiKey {
  readonly id: string
  readonly name: string
  readonly scopes: readonly KeyScope[]
  /** ISO time. */
  readonly created: string
}

interface StoredKey extends ApiKey {
  /** SHA-256 of the key, hexadecimal. A key has 192 random bits, so that nothing slower is needed. */
  readonly hash: string
}

/** How a key begins, so that one is known when it is seen where it should not be. */
const prefix = 'enigma-'

/**
 * The API keys of this user, in one file of the config folder. Only hashes are kept: a key is shown once, when it is made. The file is
 * read again when it has changed, so that keys made or revoked by another process count at once.
 */
export class KeyStore {
  readonly path: string
  #keys: readonly StoredKey[] = []
  #read = ''

  constructor(path = join(enigmaFolders().config, 'api-keys.json')) {
    this.path = path
  }

  async list(): Promise<readonly ApiKey[]> {
    return (await this.#load()).map(({ hash: _, ...key }) => key)
  }

  /** @returns the key itself, which cannot be asked for again */
  async create(name: string, scopes: readonly KeyScope[]): Promise<ApiKey & { readonly key: string }> {
    const key = prefix + randomBytes(24).toString('base64url')
    const entry: ApiKey = { id: randomBytes(4).toString('hex'), name, scopes, created: new Date().toISOString() }
    await this.#save([...(await this.#load()), { ...entry, hash: hashOf(key) }])
    return { ...entry, key }
  }

  /** @returns whether there was one */
  async revoke(id: string): Promise<boolean> {
    const keys = await this.#load()
    const left = keys.filter((key) => key.id !== id)
    if (left.length === keys.length) return false
    await this.#save(left)
    return true
  }

  /** The key that `text` is, or undefined. Takes the same time for each text of one length. */
  async find(text: string): Promise<ApiKey | undefined> {
    const hash = Buffer.from(hashOf(text), 'hex')
    let found: StoredKey | undefined
    for (const key of await this.#load()) if (timingSafeEqual(hash, Buffer.from(key.hash, 'hex'))) found = key
    return found
  }

  /** Whether `text` looks like one of ours: then it has to be one. */
  static isOurs(text: string): boolean {
    return text.startsWith(prefix)
  }

  async #load(): Promise<readonly StoredKey[]> {
    try {
      const { mtimeMs, size, ino } = await stat(this.path)
      const version = `${mtimeMs} ${size} ${ino}`
      if (version === this.#read) return this.#keys
      this.#keys = keysOf(await readFile(this.path, 'utf8'), this.path)
      this.#read = version
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      this.#keys = []
      this.#read = ''
    }
    return this.#keys
  }

  async #save(keys: readonly StoredKey[]): Promise<void> {
    await writeAtomic(this.path, `${JSON.stringify({ keys }, null, 2)}\n`)
    this.#read = ''
  }
}

const hashOf = (key: string) => createHash('sha256').update(key).digest('hex')

function keysOf(text: string, path: string): readonly StoredKey[] {
  const damaged = () => new Error(`${path} holds no keys. Remove it and make new ones with: enigma keys create`)
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    throw damaged()
  }
  const { keys } = (parsed ?? {}) as { keys?: unknown }
  if (!Array.isArray(keys) || !keys.every(isStoredKey)) throw damaged()
  return keys
}

function isStoredKey(value: unknown): value is StoredKey {
  const { id, name, scopes, created, hash } = (value ?? {}) as Record<string, unknown>
  const texts = [id, name, created].every((text) => typeof text === 'string')
  return texts && Array.isArray(scopes) && typeof hash === 'string' && /^[0-9a-f]{64}$/.test(hash)
}
