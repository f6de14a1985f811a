import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { enigmaFolders, isAlive, writeAtomic } from '@enigma/files'

/** Where the server of this user runs. Only the user may read it: its token opens `/api`. */
export interface RunFile {
  readonly pid: number
  readonly url: string
  /** For `/api`, as `Authorization: Bearer`. */
  readonly token: string
  /** ISO time. */
  readonly started: string
}

const runFilePath = (): string => join(enigmaFolders().state, 'server.json')

/** The server that runs now, or undefined: a file that a killed process left does not count. */
export async function readRunFile(path = runFilePath()): Promise<RunFile | undefined> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch {
    return undefined
  }
  try {
    const { pid, url, token, started } = JSON.parse(text) as Partial<RunFile>
    if (typeof pid !== 'number' || typeof url !== 'string' || typeof token !== 'string' || typeof started !== 'string')
      return undefined
    return isAlive(pid) ? { pid, url, token, started } : undefined
  } catch {
    return undefined
  }
}

export async function writeRunFile(file: RunFile, path = runFilePath()): Promise<void> {
  await writeAtomic(path, `${JSON.stringify(file)}\n`)
}

/** Removes it if it is still this process's own. */
export async function removeRunFile(pid: number, path = runFilePath()): Promise<void> {
  const file = await readRunFile(path)
  if (file?.pid === pid) await rm(path, { force: true })
}
