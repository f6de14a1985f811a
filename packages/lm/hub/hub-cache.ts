import { randomBytes } from 'node:crypto'
import { copyFile, mkdir, readdir, readFile, rename, symlink } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { errorCode, temporaryName, writeAtomic, writeError } from '@enigma/tensor/formats'
import type { HubName } from './hub-name.js'

const commitPattern = /^[0-9a-f]{40}$/
/** Fewer digits of a commit than this name none. */
const shortest = 7

/** A state of a model that lies in the cache. */
export interface CachedRevision {
  /** `owner/name`. */
  readonly repository: string
  readonly commit: string
  /** Branches and tags that stood for it when they were last pulled. */
  readonly refs: readonly string[]
  readonly folder: string
}

/**
 * The cache that Hugging Face's programs share (huggingface_hub, "Understand caching"), of which this reads and writes models:
 *
 *     models--owner--name/
 *       blobs/<sha256, or git's sha1>   the files, each once
 *       refs/main                       the commit that a branch or tag stood for
 *       snapshots/<commit>/<path>       links to the blobs
 */
export class HubCache {
  constructor(readonly folder: string) {}

  blob(repository: string, oid: string): string {
    return join(this.#place(repository), 'blobs', oid)
  }

  snapshot(repository: string, commit: string): string {
    return join(this.#place(repository), 'snapshots', commit)
  }

  /** What is locked while a model is pulled; beside the models, where Hugging Face's programs keep locks, too. */
  locks(repository: string): string {
    return join(this.folder, '.locks', folderName(repository))
  }

  /** The folder that holds what was pulled of a model; undefined where nothing was. A commit may be shortened to 7 digits. */
  async find({ repository, revision }: HubName): Promise<string | undefined> {
    const commit = await this.#commitOf(repository, revision)
    return commit === undefined ? undefined : this.snapshot(repository, commit)
  }

  /** Every model in the cache, in order of name. */
  async revisions(): Promise<CachedRevision[]> {
    const found: CachedRevision[] = []
    for (const name of (await list(this.folder)).sort()) {
      const repository = repositoryName(name)
      if (repository === undefined) continue
      const refs = await this.#refs(repository)
      for (const commit of await this.#commits(repository)) {
        const folder = this.snapshot(repository, commit)
        found.push({ repository, commit, refs: refs.flatMap((ref) => (ref.commit === commit ? [ref.name] : [])), folder })
      }
    }
    return found
  }

  /** Puts a blob under its name into a snapshot. @throws TensorError NOT_WRITABLE, DISK_FULL, WRITE_FAILED */
  async link(repository: string, commit: string, path: string, oid: string): Promise<void> {
    const [place, blob] = [join(this.snapshot(repository, commit), path), this.blob(repository, oid)]
    try {
      await mkdir(dirname(place), { recursive: true })
      const aside = join(dirname(place), temporaryName(basename(place), randomBytes(4).toString('hex')))
      await symlink(relative(dirname(place), blob), aside).catch((error) => {
        // Windows gives links only to those who may make them: there the file lies twice.
        if (errorCode(error) !== 'EPERM') throw error
        return copyFile(blob, aside)
      })
      // At once, for those who read the model meanwhile.
      await rename(aside, place)
    } catch (error) {
      throw writeError(error, place)
    }
  }

  /** Notes which commit a branch or tag stands for; a commit stands for itself. @throws TensorError NOT_WRITABLE, DISK_FULL, WRITE_FAILED */
  async note({ repository, revision }: HubName, commit: string): Promise<void> {
    if (revision === commit) return
    const path = join(this.#place(repository), 'refs', revision)
    await mkdir(dirname(path), { recursive: true })
    await writeAtomic(path, commit)
  }

  #place(repository: string): string {
    return join(this.folder, folderName(repository))
  }

  async #commitOf(repository: string, revision: string): Promise<string | undefined> {
    const commits = await this.#commits(repository)
    const noted = (await this.#refs(repository)).find(({ name }) => name === revision)?.commit
    if (noted !== undefined) return commits.find((commit) => commit === noted)
    if (revision.length < shortest) return undefined
    const meant = commits.filter((commit) => commit.startsWith(revision))
    return meant.length === 1 ? meant[0] : undefined
  }

  async #commits(repository: string): Promise<string[]> {
    return (await list(join(this.#place(repository), 'snapshots'))).filter((name) => commitPattern.test(name)).sort()
  }

  async #refs(repository: string): Promise<{ name: string; commit: string }[]> {
    const root = join(this.#place(repository), 'refs')
    const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => [])
    const files = entries.filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    return Promise.all(
      files.map(async (entry) => {
        const path = join(entry.parentPath, entry.name)
        const name = relative(root, path).replaceAll('\\', '/')
        return { name, commit: (await readFile(path, 'utf8').catch(() => '')).trim() }
      }),
    )
  }
}

/** `owner/name` for the folder of a snapshot in a Hugging Face cache; undefined for others. */
export function hubNameOf(folder: string): string | undefined {
  const [place, snapshots, commit] = resolve(folder).replaceAll('\\', '/').split('/').slice(-3)
  return snapshots === 'snapshots' && commitPattern.test(commit ?? '') ? repositoryName(place ?? '') : undefined
}

const folderName = (repository: string) => `models--${repository.replace('/', '--')}`

/** The reverse of `folderName`: a name has no `--`. Models without an owner (`gpt2`) are there, too. */
function repositoryName(folder: string): string | undefined {
  const [kind, ...parts] = folder.split('--')
  return kind === 'models' && (parts.length === 1 || parts.length === 2) && parts.every(Boolean) ? parts.join('/') : undefined
}

const list = (folder: string) => readdir(folder).catch((): string[] => [])
