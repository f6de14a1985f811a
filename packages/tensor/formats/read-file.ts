import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { type FileHandle, open, readFile as read, stat } from 'node:fs/promises'
import { TensorError } from '../errors.js'
import { errorCode } from './durable.js'

/** The bytes of a file. @throws TensorError FILE_NOT_FOUND */
export async function readFile(path: string): Promise<Uint8Array> {
  return read(path).catch((error) => {
    throw unreadable(path, error)
  })
}

/** Opens a file to be read at any place. A folder, or a pipe, on which reading would wait, is refused. @throws TensorError FILE_NOT_FOUND */
export async function openFile(path: string): Promise<FileHandle> {
  const entry = await stat(path).catch((error) => {
    throw unreadable(path, error)
  })
  if (!entry.isFile()) throw new TensorError('FILE_NOT_FOUND', `${path} is ${entry.isDirectory() ? 'a folder' : 'no file'}`)
  return open(path, 'r').catch((error) => {
    throw unreadable(path, error)
  })
}

/** Part of a file of any size, now. @throws TensorError FILE_NOT_FOUND, FILE_TRUNCATED */
export function readRange(path: string, offset: number, length: number): Uint8Array {
  const file = opened(path)
  try {
    const { size } = fstatSync(file)
    if (offset + length > size)
      throw new TensorError(
        'FILE_TRUNCATED',
        `${path} has ${size} bytes, not the ${length} from ${offset} on that should be there.`,
      )
    const bytes = new Uint8Array(length)
    for (let done = 0; done < length; ) {
      const count = readSync(file, bytes, done, Math.min(length - done, 2 ** 28), offset + done)
      if (count === 0) throw new TensorError('FILE_TRUNCATED', `${path} became shorter while it was read.`)
      done += count
    }
    return bytes
  } finally {
    closeSync(file)
  }
}

function opened(path: string): number {
  try {
    return openSync(path, 'r')
  } catch (error) {
    throw unreadable(path, error)
  }
}

function unreadable(path: string, cause: unknown): TensorError {
  const what = errorCode(cause) === 'ENOENT' ? 'does not exist' : `cannot be read: ${(cause as Error).message}`
  return new TensorError('FILE_NOT_FOUND', `${path} ${what}`, { cause })
}
