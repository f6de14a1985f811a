import { createHash, type Hash } from 'node:crypto'
import { open, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode, type FileDigest } from '@enigma/tensor/formats'
import { LmError } from '../errors.js'

/** The digests of a folder's files, by name. */
export type Digests = Readonly<Record<string, FileDigest>>

const CHUNK = 1 << 22

/**
 * Compares files with the digests that were taken when they were written; `fix` is what messages advise.
 * @throws LmError FILE_NOT_FOUND, FILE_TRUNCATED, HASH_MISMATCH: each names the file
 */
export async function verifyFiles(folder: string, files: Digests, fix = 'Restore it from a copy'): Promise<void> {
  for (const [name, digest] of Object.entries(files)) await verifyFile(join(folder, name), digest, fix)
}

/**
 * Reads the digests in a parsed manifest.
 * @throws LmError FILE_CORRUPT
 */
export function parseDigests(value: unknown, path: string): Digests {
  const corrupt = () => new LmError('FILE_CORRUPT', `${path} is damaged: it does not list files with bytes and sha256`)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw corrupt()
  const entries = Object.entries(value).map(([name, digest]: [string, unknown]) => {
    const bytes = typeof digest === 'object' && digest !== null && 'bytes' in digest ? digest.bytes : undefined
    const sha256 = typeof digest === 'object' && digest !== null && 'sha256' in digest ? digest.sha256 : undefined
    // Names are joined to the folder: one with a separator would lead out of it.
    if (typeof bytes !== 'number' || typeof sha256 !== 'string' || /[\\/]/.test(name)) throw corrupt()
    return [name, { bytes, sha256 }] as const
  })
  return Object.fromEntries(entries)
}

async function verifyFile(path: string, digest: FileDigest, fix: string): Promise<void> {
  const entry = await stat(path).catch((error) => {
    const what = errorCode(error) === 'ENOENT' ? `is missing. ${fix}` : `cannot be read: ${error.message}`
    throw new LmError('FILE_NOT_FOUND', `${path} ${what}`, { cause: error })
  })
  if (entry.size < digest.bytes) {
    throw new LmError('FILE_TRUNCATED', `${path} is truncated: ${entry.size} of ${digest.bytes} bytes are there. ${fix}`)
  }
  const found =
    entry.size === digest.bytes ? await hashFile(path, entry.size) : `that of ${entry.size} bytes instead of ${digest.bytes}`
  if (found !== digest.sha256) {
    throw new LmError('HASH_MISMATCH', `${path} does not match its hash: it was changed or damaged after it was written. ${fix}`)
  }
}

/** The digest of a file of about so many bytes, in hexadecimal. */
export async function hashFile(path: string, size: number, hash: Hash = createHash('sha256')): Promise<string> {
  const handle = await open(path, 'r')
  try {
    // Two buffers: the next piece is read while this one is hashed.
    const length = Math.min(CHUNK, size + 1)
    const buffers = [new Uint8Array(length), new Uint8Array(length)] as const
    let turn = 0
    let reading = handle.read(buffers[0], 0, length)
    for (;;) {
      const { bytesRead, buffer } = await reading
      if (bytesRead === 0) return hash.digest('hex')
      turn = 1 - turn
      reading = handle.read(buffers[turn === 0 ? 0 : 1], 0, length)
      hash.update(buffer.subarray(0, bytesRead))
    }
  } finally {
    await handle.close()
  }
}
