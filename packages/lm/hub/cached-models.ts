import { readdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { describeModel, type FoundModel } from '../checkpoint/find-models.js'
import { CONFIG, openModelFolder } from '../checkpoint/model-folder.js'
import { isFault, LmError } from '../errors.js'
import { type CachedRevision, HubCache } from './hub-cache.js'
import { type HubName, parseHubName } from './hub-name.js'
import { type HubSettings, hubSettings } from './hub-settings.js'
import type { PulledModel } from './pull-model.js'

/** A GGUF file; `importModel` makes a model of it. */
interface FoundGguf {
  readonly name: string
  readonly folder: string
  readonly status: 'gguf'
  readonly file: string
  readonly bytes: number
}

/** Something in the Hugging Face cache that is used here; its name is `owner/name`. */
export type CachedModel = (FoundModel | FoundGguf) & Pick<CachedRevision, 'commit' | 'refs'>

/** The models in the Hugging Face cache, by name. What other programs keep there and this one cannot use is left out. */
export async function findCachedModels({ cache }: HubSettings = hubSettings()): Promise<CachedModel[]> {
  const found: CachedModel[] = []
  for (const { repository: name, folder, commit, refs } of await new HubCache(cache).revisions()) {
    const files = await filesIn(folder)
    if (files.some(({ path }) => path === CONFIG)) {
      const model = await describeModel(folder, name)
      const isOthers = model.status === 'broken' && ['UNSUPPORTED_MODEL', 'FILE_NOT_FOUND'].includes(model.error.code)
      if (!isOthers) found.push({ ...model, commit, refs })
    }
    for (const { path, bytes } of files)
      if (path.endsWith('.gguf')) found.push({ name, folder, status: 'gguf', file: join(folder, path), bytes, commit, refs })
  }
  return found
}

/**
 * Where a model of the hub lies in the Hugging Face cache; undefined where `name` is not written as `owner/name` or `owner/name@revision`.
 * @throws LmError FILE_NOT_FOUND where it was not pulled, HUB_OFFLINE where it cannot be either: both say what to do
 */
export async function cachedFolder(name: string, settings: HubSettings = hubSettings()): Promise<string | undefined> {
  const wanted = parseHubName(name)
  if (!wanted) return undefined
  const folder = await new HubCache(settings.cache).find(wanted)
  if (folder === undefined) throw notThere(wanted, settings)
  return folder
}

/** What a pull gives without the network: what an earlier one has left, if that is whole. @throws LmError HUB_OFFLINE */
export async function pulledBefore(wanted: HubName, chosen: readonly string[], settings: HubSettings): Promise<PulledModel> {
  const folder = await new HubCache(settings.cache).find(wanted)
  if (folder === undefined) throw notThere(wanted, settings)
  const files = await filesIn(folder)
  const absent = chosen.find((name) => !files.some(({ path }) => path === name))
  if (absent !== undefined) throw notThere(wanted, settings, absent)
  if (chosen.length === 0) await check(folder, wanted, settings)
  return { name: wanted.repository, revision: basename(folder), folder, files, downloaded: 0 }
}

async function check(folder: string, wanted: HubName, settings: HubSettings): Promise<void> {
  try {
    await (await openModelFolder(folder)).close()
  } catch (error) {
    if (!isFault(error)) throw error
    throw new LmError('HUB_OFFLINE', `${notThere(wanted, settings, 'all of it').message} (${error.message})`, { cause: error })
  }
}

function notThere({ repository, revision }: HubName, { cache, offline }: HubSettings, what?: string): LmError {
  const name = revision === 'main' ? repository : `${repository}@${revision}`
  const lack = `${what === undefined ? name : `${what} of ${name}`} is not in the Hugging Face cache ${cache}.`
  return offline
    ? new LmError('HUB_OFFLINE', `${lack} HF_HUB_OFFLINE forbids to fetch it: unset it and run enigma models pull ${name}`)
    : new LmError('FILE_NOT_FOUND', `${lack} Pull it: enigma models pull ${name}`)
}

/** Files that are there, with their sizes; links whose blob is gone are none. */
async function filesIn(folder: string): Promise<{ path: string; bytes: number }[]> {
  const names = await readdir(folder, { recursive: true }).catch((): string[] => [])
  const entries = await Promise.all(
    names.map(async (path) => ({ path, entry: await stat(join(folder, path)).catch(() => null) })),
  )
  return entries.flatMap(({ path, entry }) => (entry?.isFile() ? [{ path: path.replaceAll('\\', '/'), bytes: entry.size }] : []))
}
