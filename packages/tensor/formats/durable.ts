import { createHash, randomBytes } from 'node:crypto'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { TensorError } from '../errors.js'
import { temporaryName } from './temporary.js'

/** How bytes reach an open file. Tests put a failing disk here. */
export type WriteBytes = (handle: FileHandle, bytes: Uint8Array, position: number) => Promise<void>

export interface WriteOptions {
  readonly write?: WriteBytes
}

/** What a file held when it was written or verified. */
export interface FileDigest {
  readonly bytes: number
  /** Lower-case hexadecimal SHA-256. */
  readonly sha256: string
}

/** A whole file, or its pieces in order; a piece may be reused by the producer once the next one is asked for. */
export type FileContent = string | Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>

/**
 * Writes a new file and forces it to the disk; hashes what it writes. On failure nothing is left behind.
 * Errors name the file by `shownAs` (default: its path).
 * @throws TensorError DISK_FULL, NOT_WRITABLE, WRITE_FAILED
 */
export async function writeDurable(
  path: string,
  content: FileContent,
  options: WriteOptions & { readonly shownAs?: string } = {},
): Promise<FileDigest> {
  const { write = writeFully, shownAs = path } = options
  let handle: FileHandle | undefined
  try {
    handle = await open(path, 'w')
    const hash = createHash('sha256')
    let bytes = 0
    for await (const piece of pieces(content)) {
      hash.update(piece)
      await write(handle, piece, bytes)
      bytes += piece.byteLength
    }
    await handle.sync()
    await handle.close()
    return { bytes, sha256: hash.digest('hex') }
  } catch (error) {
    await handle?.close().catch(() => undefined)
    if (handle) await rm(path, { force: true }).catch(() => undefined)
    throw writeError(error, shownAs)
  }
}

/**
 * Writes a file so that a crash, a kill or a full disk at any instant leaves either the old content or the new, never a mixture:
 * written aside, forced to the disk, renamed into place, folder forced to the disk.
 * @throws TensorError DISK_FULL, NOT_WRITABLE, WRITE_FAILED
 */
export async function writeAtomic(path: string, content: FileContent, options: WriteOptions = {}): Promise<FileDigest> {
  const aside = join(dirname(path), temporaryName(basename(path), randomBytes(4).toString('hex')))
  const digest = await writeDurable(aside, content, { ...options, shownAs: path })
  try {
    await rename(aside, path)
    await syncFolder(dirname(path))
  } catch (error) {
    await rm(aside, { force: true }).catch(() => undefined)
    throw writeError(error, path)
  }
  return digest
}

/** Forces a folder's entries (creations, renames) to the disk. */
export async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open folders and orders renames itself.
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** What the system and Node call their errors: `ENOSPC`, `ERR_INVALID_ARG_VALUE`. */
const systemCode = /^(E[A-Z0-9]+|ERR_.*)$/

/** The error of a failed write, saying what to do about it. Errors with a code of their own, of any package, pass through. */
export function writeError(error: unknown, path: string): Error {
  const code = errorCode(error)
  if (code !== undefined && !systemCode.test(code)) return error as Error
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    const quota = code === 'EDQUOT' ? 'The disk quota is used up' : 'The disk is full'
    return new TensorError('DISK_FULL', `${quota}: cannot write ${path}. Free some space or choose another folder`, {
      cause: error,
    })
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new TensorError('NOT_WRITABLE', `No permission to write ${path}. Choose a folder you may write to`, { cause: error })
  }
  if (code === 'EISDIR')
    return new TensorError('WRITE_FAILED', `Cannot write ${path}: it is a folder. Name a file in it`, { cause: error })
  if (code === 'ENOENT')
    return new TensorError('WRITE_FAILED', `Cannot write ${path}: its folder does not exist`, { cause: error })
  return new TensorError('WRITE_FAILED', `Cannot write ${path}: ${error instanceof Error ? error.message : String(error)}`, {
    cause: error,
  })
}

/** The operating system's name of an error (`ENOENT`), if it has one. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

async function writeFully(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0
  while (done < bytes.byteLength) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.byteLength - done, position + done)
    done += bytesWritten
  }
}

async function* pieces(content: FileContent): AsyncGenerator<Uint8Array> {
  if (typeof content === 'string') yield new TextEncoder().encode(content)
  else if (content instanceof Uint8Array) yield content
  else yield* content
}
