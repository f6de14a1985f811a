import { TensorError } from '../errors.js'

/** What of this folder a browser has: files are addresses, and nothing can be written. */

/** The bytes behind an address. @throws TensorError FILE_NOT_FOUND */
export async function readFile(path: string): Promise<Uint8Array> {
  try {
    const response = await fetch(path)
    if (!response.ok) throw new Error(`${response.status} ${response.statusText}`)
    return new Uint8Array(await response.arrayBuffer())
  } catch (cause) {
    throw new TensorError('FILE_NOT_FOUND', `${path} cannot be fetched: ${(cause as Error).message}`, { cause })
  }
}

/** @throws TensorError FILE_NOT_FOUND always */
export function readRange(path: string): never {
  throw new TensorError('FILE_NOT_FOUND', `A page reads models of one file, not those with weights in a second one: ${path}.`)
}

/** @throws TensorError NOT_WRITABLE always */
export async function writeAtomic(path: string): Promise<never> {
  throw new TensorError(
    'NOT_WRITABLE',
    `A page cannot write ${path}: take the bytes (\`exportOnnx\`) and offer them as a download.`,
  )
}
