import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { LmError } from '../errors.js'
import type { DataFile } from './data-files.js'

/** What a data file holds, told by reading it through. */
export interface InspectedFile {
  readonly path: string
  readonly kind: DataFile['kind']
  readonly bytes: number
  readonly lines: number
  readonly sha256: string
}

/**
 * Hashes data files and counts their lines.
 * @throws LmError FILE_NOT_FOUND, DATA_EMPTY where there is nothing but white space, the signal's reason when aborted
 */
export async function inspectFiles(files: readonly DataFile[], signal?: AbortSignal): Promise<InspectedFile[]> {
  const inspected: InspectedFile[] = []
  for (const file of files) inspected.push(await inspect(file, signal))
  return inspected
}

async function inspect({ path, kind }: DataFile, signal?: AbortSignal): Promise<InspectedFile> {
  const hash = createHash('sha256')
  let [bytes, lines, last, blank] = [0, 0, 10, true]
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
      signal?.throwIfAborted()
      hash.update(chunk)
      bytes += chunk.length
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines++
      last = chunk[chunk.length - 1]!
      blank &&= chunk.every((byte) => byte <= 32)
    }
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error
    throw new LmError('FILE_NOT_FOUND', `Cannot read ${path}: ${error.message}`, { cause: error })
  }
  if (blank) throw new LmError('DATA_EMPTY', `Data file holds no text: ${path}`)
  return { path, kind, bytes, lines: last === 10 ? lines : lines + 1, sha256: hash.digest('hex') }
}
