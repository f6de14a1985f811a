import { createHash } from 'node:crypto'
import { type FileHandle, open, rm } from 'node:fs/promises'
import { writeError } from '@enigma/tensor/formats'
import { hashFile } from '../checkpoint/digest.js'
import { LmError } from '../errors.js'
import { hubRequest, TransientError } from './hub-request.js'
import type { HubFile } from './hub-revision.js'
import type { HubSettings } from './hub-settings.js'
import { IdleTimer } from './idle-timer.js'
import { retrying } from './retry.js'

export interface DownloadOptions {
  readonly signal: AbortSignal
  /** Called with how many bytes of the file are there. */
  readonly onBytes: (there: number) => void
}

/**
 * Brings a file to `path`, going on where a download before left off, and checks it. Stopped or failed, it leaves what it has.
 * @param from the file on the hub: `owner/name/resolve/<commit>/<path>`
 * @throws LmError HASH_MISMATCH (nothing is left then), HUB_UNREACHABLE, HUB_NOT_FOUND, HUB_FORBIDDEN, HUB_FAILED; TensorError DISK_FULL,
 * NOT_WRITABLE, WRITE_FAILED; the signal's reason
 */
export async function downloadFile(
  settings: HubSettings,
  from: string,
  file: HubFile,
  path: string,
  options: DownloadOptions,
): Promise<void> {
  const handle = await open(path, 'a').catch((error) => {
    throw writeError(error, path)
  })
  try {
    await retrying(settings, options.signal, (progressed) => append(settings, from, file, { handle, path }, options, progressed))
    await handle.sync().catch((error) => {
      throw writeError(error, path)
    })
  } finally {
    await handle.close()
  }
  const found = await hashFile(path, file.bytes, fileHash(file))
  if (found === file.oid) return
  await rm(path, { force: true })
  throw new LmError(
    'HASH_MISMATCH',
    `${file.path} came damaged: its hash is ${found}, that on the hub ${file.oid}. It was removed; pull again.`,
  )
}

/** Git hashes a small file with a header before it. */
function fileHash({ hash, bytes }: HubFile) {
  return hash === 'sha256' ? createHash('sha256') : createHash('sha1').update(`blob ${bytes}\0`)
}

interface Partial {
  readonly handle: FileHandle
  readonly path: string
}

/** One request for what is still missing. */
async function append(
  settings: HubSettings,
  from: string,
  file: HubFile,
  { handle, path }: Partial,
  { signal, onBytes }: DownloadOptions,
  progressed: () => void,
): Promise<void> {
  let there = (await handle.stat()).size
  if (there > file.bytes) there = await cut(handle, path)
  onBytes(there)
  if (there === file.bytes) return
  using idle = new IdleTimer(settings.idleTimeout, signal)
  const headers = { 'accept-encoding': 'identity', ...(there > 0 && { range: `bytes=${there}-` }) }
  const response = await hubRequest(settings, from, file.path, { headers, signal: idle.signal }).catch((error) => {
    throw idle.reasonOf(error)
  })
  // A server that knows no ranges begins anew.
  if (there > 0 && response.status !== 206) there = await cut(handle, path)
  try {
    for await (const piece of response.body ?? []) {
      idle.restart()
      if (there + piece.length > file.bytes)
        throw new LmError('HUB_FAILED', `${file.path} does not end after ${file.bytes} bytes.`)
      await handle.appendFile(piece).catch((error) => {
        throw writeError(error, path)
      })
      there += piece.length
      progressed()
      onBytes(there)
    }
  } catch (error) {
    throw idle.reasonOf(error)
  }
  if (there < file.bytes) throw new TransientError(`${file.path} ended after ${there} of ${file.bytes} bytes`)
}

async function cut(handle: FileHandle, path: string): Promise<0> {
  await handle.truncate(0).catch((error) => {
    throw writeError(error, path)
  })
  return 0
}
