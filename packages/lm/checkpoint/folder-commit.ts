import { randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, rmdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import {
  errorCode,
  type FileContent,
  type FileDigest,
  removeLeftovers,
  syncFolder,
  temporaryName,
  type WriteOptions,
  writeDurable,
  writeError,
} from '@enigma/tensor/formats'

/**
 * Several files of a folder replaced together. They are written aside into one folder; renaming that to `.commit` decides;
 * then each file moves to its place. Killed before the decision: the old files. Killed after it: whoever opens the folder
 * next finishes the moves.
 */
const COMMIT = '.commit'
/** In it: the names of files that go away with the commit. */
const REMOVED = '.removed.json'

export interface CommitOptions extends WriteOptions {
  /** Files of the folder that go away when the new ones are in their places. */
  readonly removed?: readonly string[]
}

/**
 * Writes files into a folder (made if missing), all or none.
 * @param describe makes one more file out of the digests of the others
 * @throws TensorError DISK_FULL, NOT_WRITABLE, WRITE_FAILED
 */
export async function commitFiles(
  folder: string,
  files: readonly (readonly [name: string, content: FileContent])[],
  describe: (digests: Readonly<Record<string, FileDigest>>) => readonly [name: string, content: string],
  { removed = [], ...options }: CommitOptions = {},
): Promise<void> {
  const staging = join(folder, temporaryName('model', randomBytes(4).toString('hex')))
  try {
    await mkdir(folder, { recursive: true })
    await removeLeftovers(folder)
    await finishCommit(folder)
    await mkdir(staging)
    const write = (name: string, content: FileContent) =>
      writeDurable(join(staging, name), content, { ...options, shownAs: join(folder, name) })
    const digests: [string, FileDigest][] = []
    for (const [name, content] of files) digests.push([name, await write(name, content)])
    await write(...describe(Object.fromEntries(digests)))
    if (removed.length > 0) await write(REMOVED, JSON.stringify(removed))
    await syncFolder(staging)
    await rename(staging, join(folder, COMMIT))
    await syncFolder(folder)
  } catch (error) {
    await rm(staging, { recursive: true, force: true }).catch(() => undefined)
    throw writeError(error, folder)
  }
  await finishCommit(folder)
}

/**
 * Moves decided files to their places, if a killed write left some.
 * @throws TensorError NOT_WRITABLE, WRITE_FAILED
 */
export async function finishCommit(folder: string): Promise<void> {
  const commit = join(folder, COMMIT)
  const names = await readdir(commit).catch(() => null)
  if (!names) return
  try {
    // Another process may be finishing the same commit: what it moved already is done.
    const removed = names.includes(REMOVED) ? await readFile(join(commit, REMOVED), 'utf8').catch(unlessGone) : undefined
    for (const name of JSON.parse(removed ?? '[]') as string[]) await rm(join(folder, basename(name)), { force: true })
    for (const name of names) if (name !== REMOVED) await rename(join(commit, name), join(folder, name)).catch(unlessGone)
    await rm(join(commit, REMOVED), { force: true })
    await syncFolder(folder)
    await rmdir(commit).catch(unlessGone)
  } catch (error) {
    throw writeError(error, folder)
  }
}

function unlessGone(error: unknown): undefined {
  if (errorCode(error) !== 'ENOENT') throw error
  return undefined
}
