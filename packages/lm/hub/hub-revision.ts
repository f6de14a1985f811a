import { LmError } from '../errors.js'
import { isObject } from '../formats/config-fields.js'
import type { HubName } from './hub-name.js'
import { hubRequest } from './hub-request.js'
import type { HubSettings } from './hub-settings.js'
import { IdleTimer } from './idle-timer.js'

/** A file of a model on the hub. */
export interface HubFile {
  /** In the model's folder, with `/`. */
  readonly path: string
  readonly bytes: number
  /** What it is checked with: SHA-256 of large files (Git LFS), git's SHA-1 of small ones. It names the file in the cache. */
  readonly oid: string
  readonly hash: 'sha256' | 'git'
}

/** A state of a model on the hub. */
export interface HubRevision {
  readonly commit: string
  readonly files: readonly HubFile[]
}

/**
 * What a revision stands for, and its files: one request of the hub's API, as `model_info(files_metadata=True)` makes it.
 * @throws as `hubRequest`; LmError HUB_FAILED where the answer is none
 */
export async function readRevision(
  settings: HubSettings,
  { repository, revision }: HubName,
  signal: AbortSignal,
): Promise<HubRevision> {
  const path = `api/models/${repository}/revision/${encodeURIComponent(revision)}?blobs=true`
  const answer = parsed(await textOf(settings, path, `${repository}@${revision}`, signal))
  if (
    !isObject(answer) ||
    typeof answer.sha !== 'string' ||
    !/^[0-9a-f]{40}$/.test(answer.sha) ||
    !Array.isArray(answer.siblings)
  )
    throw strange(settings, 'it names no commit and files')
  return { commit: answer.sha, files: answer.siblings.map((entry) => readFile(entry, settings)) }
}

async function textOf(settings: HubSettings, path: string, what: string, signal: AbortSignal): Promise<string> {
  using idle = new IdleTimer(settings.idleTimeout, signal)
  try {
    return await (await hubRequest(settings, path, what, { signal: idle.signal })).text()
  } catch (error) {
    throw idle.reasonOf(error)
  }
}

/** Undefined where it is not JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

// What the answer says becomes names of files here: nothing in it may lead out of the cache.
function readFile(entry: unknown, settings: HubSettings): HubFile {
  const { rfilename: path, size, blobId, lfs } = isObject(entry) ? entry : {}
  const large = isObject(lfs) ? lfs : undefined
  const [bytes, oid, hash] = large ? ([large.size, large.sha256, 'sha256'] as const) : ([size, blobId, 'git'] as const)
  const isOid = typeof oid === 'string' && (hash === 'git' ? /^[0-9a-f]{40}$/ : /^[0-9a-f]{64}$/).test(oid)
  if (typeof path !== 'string' || !isInside(path)) throw strange(settings, `a file is called ${JSON.stringify(path)}`)
  if (!isOid || !Number.isSafeInteger(bytes) || Number(bytes) < 0) throw strange(settings, `${path} has no size and hash`)
  return { path, bytes: Number(bytes), oid, hash }
}

const isInside = (path: string) =>
  !/[\\:\0]/.test(path) && path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')

const strange = ({ endpoint }: HubSettings, why: string) =>
  new LmError('HUB_FAILED', `${endpoint} does not answer as a Hugging Face hub does: ${why}. Is HF_ENDPOINT right?`)
