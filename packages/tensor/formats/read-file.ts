import { readFile as read } from 'node:fs/promises'
import { TensorError } from '../errors.js'
import { errorCode } from './durable.js'

/** The bytes of a file. @throws TensorError FILE_NOT_FOUND */
export async function readFile(path: string): Promise<Uint8Array> {
  return read(path).catch((error) => {
    const what = errorCode(error) === 'ENOENT' ? 'does not exist' : `cannot be read: ${error.message}`
    throw new TensorError('FILE_NOT_FOUND', `${path} ${what}`, { cause: error })
  })
}
