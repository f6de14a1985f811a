import { randomUUID } from 'node:crypto'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/**
 * Replaces a small file as a whole: written aside (`.<name>.<random>.tmp`), forced to the disk, renamed. A reader sees the old
 * text or the new; a crash leaves at most the file aside. The folder is made if missing; only the user may read either.
 * @throws the system's error; then nothing of it is left behind
 */
export async function writeAtomic(path: string, text: string): Promise<void> {
  const folder = dirname(path)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const aside = join(folder, `.${basename(path)}.${randomUUID().slice(0, 8)}.tmp`)
  try {
    await writeFile(aside, text, { mode: 0o600, flush: true })
    await rename(aside, path)
  } catch (error) {
    await rm(aside, { force: true })
    throw error
  }
}
