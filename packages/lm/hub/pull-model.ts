import { mkdir, rename, stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { syncFolder, writeError } from '@enigma/tensor/formats'
import { lockFolder } from '../checkpoint/lock.js'
import { isFault, LmError } from '../errors.js'
import { pulledBefore } from './cached-models.js'
import { downloadFile } from './download-file.js'
import { HubCache } from './hub-cache.js'
import { type HubName, parseHubName } from './hub-name.js'
import { type HubFile, readRevision } from './hub-revision.js'
import { type HubSettings, hubSettings } from './hub-settings.js'
import { neededFiles } from './needed-files.js'
import { retrying } from './retry.js'

export interface PullOptions {
  /** Paths of the files to pull, such as `model-q4_k_m.gguf`. Default: what is needed to use the model. */
  readonly files?: readonly string[]
  /** Bytes that are there and bytes in all. */
  readonly onProgress?: (there: number, total: number) => void
  /** Stops the pull; what has come stays, and the next pull goes on from there. */
  readonly signal?: AbortSignal
  /** Default: from the environment. */
  readonly settings?: HubSettings
}

export interface PulledModel {
  /** `owner/name`. */
  readonly name: string
  /** The commit. */
  readonly revision: string
  /** The snapshot in the Hugging Face cache: a model folder. */
  readonly folder: string
  readonly files: readonly { readonly path: string; readonly bytes: number }[]
  /** Bytes that were not there yet. */
  readonly downloaded: number
}

/**
 * Brings a model from the Hugging Face hub into the Hugging Face cache. Each file is checked with its hash; what is there already is not
 * fetched again, and what came in part is continued.
 * @param name `owner/name` or `owner/name@revision`
 * @throws LmError INVALID_OPTION, HUB_NOT_FOUND, HUB_FORBIDDEN, HUB_FAILED, HUB_UNREACHABLE, HUB_OFFLINE, HASH_MISMATCH, FOLDER_LOCKED (by
 * another pull), ABORTED; TensorError DISK_FULL, NOT_WRITABLE, WRITE_FAILED
 */
export async function pullModel(name: string, options: PullOptions = {}): Promise<PulledModel> {
  const wanted = parseHubName(name)
  if (!wanted) throw new LmError('INVALID_OPTION', `'${name}' is no model of the hub: write owner/name or owner/name@revision`)
  const { settings = hubSettings(), signal = new AbortController().signal } = options
  const cache = new HubCache(settings.cache)
  if (settings.offline) return pulledBefore(wanted, options.files ?? [], settings)
  await using _lock = await lockFolder(cache.locks(wanted.repository), `pulling ${wanted.repository}`)
  try {
    return await pull(wanted, cache, settings, { ...options, signal })
  } catch (error) {
    if (!signal.aborted || isFault(error)) throw error
    throw new LmError('ABORTED', 'The pull was stopped. What has come is kept; pull again to go on.', { cause: error })
  }
}

async function pull(
  wanted: HubName,
  cache: HubCache,
  settings: HubSettings,
  { files: chosen = [], onProgress, signal }: PullOptions & { readonly signal: AbortSignal },
): Promise<PulledModel> {
  const { repository, revision } = wanted
  const { commit, files } = await retrying(settings, signal, () => readRevision(settings, wanted, signal))
  const needed = neededFiles(files, chosen, `${repository}@${revision}`)
  // Equal files are one blob.
  const blobs = [...new Map(needed.map((file) => [file.oid, file])).values()]
  const missing: HubFile[] = []
  for (const file of blobs) if ((await sizeOf(cache.blob(repository, file.oid))) !== file.bytes) missing.push(file)
  await makeRoom(cache, repository, missing)

  const total = sum(needed)
  let before = total - sum(missing)
  onProgress?.(before, total)
  for (const file of missing) {
    const blob = cache.blob(repository, file.oid)
    const from = `${repository}/resolve/${commit}/${file.path.split('/').map(encodeURIComponent).join('/')}`
    const onBytes = (there: number) => onProgress?.(before + there, total)
    await downloadFile(settings, from, file, incomplete(blob), { signal, onBytes })
    await rename(incomplete(blob), blob)
    before += file.bytes
  }
  if (missing.length > 0) await syncFolder(dirname(cache.blob(repository, commit)))
  for (const { path, oid } of needed) await cache.link(repository, commit, path, oid)
  // Last: who looks for a branch finds a model that is whole.
  await cache.note(wanted, commit)
  return {
    name: repository,
    revision: commit,
    folder: cache.snapshot(repository, commit),
    files: needed.map(({ path, bytes }) => ({ path, bytes })),
    downloaded: sum(missing),
  }
}

/** Makes the folder for files that are to come. @throws TensorError DISK_FULL where they have no room on the disk */
async function makeRoom(cache: HubCache, repository: string, missing: readonly HubFile[]): Promise<void> {
  const folder = dirname(cache.blob(repository, 'any'))
  await mkdir(folder, { recursive: true }).catch((error) => {
    throw writeError(error, folder)
  })
  let needed = 0
  for (const { oid, bytes } of missing) needed += bytes - Math.max(0, await sizeOf(incomplete(cache.blob(repository, oid))))
  const { bavail, bsize } = await statfs(folder)
  if (needed <= bavail * bsize) return
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`
  throw new LmError(
    'DISK_FULL',
    `${repository} needs ${gigabytes(needed)} more in ${cache.folder}, which has ${gigabytes(bavail * bsize)} free. Free some space, or set HF_HOME to another disk.`,
  )
}

const incomplete = (blob: string) => `${blob}.incomplete`
const sum = (files: readonly HubFile[]) => files.reduce((total, { bytes }) => total + bytes, 0)
/** Of a file that is not there: -1. */
const sizeOf = (path: string) =>
  stat(path).then(
    ({ size }) => size,
    () => -1,
  )
