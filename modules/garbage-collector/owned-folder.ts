import { readdir, realpath } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { basename, dirname, parse, relative, sep } from 'node:path'

// Which folders are Enigma's. ENIGMA_HOME may point anywhere, also at a folder full of somebody's documents.

/** The sign by which a user says that a folder is Enigma's. */
const marker = '.enigma'

/** What Enigma puts into its home; a home with anything else in it is not taken for one without the marker. */
const layout = new Set([
  'cache',
  'chat-history',
  'config.json',
  'enigma_modules.json',
  'logs',
  'models',
  'module-data',
  'modules',
  'state',
  marker,
])

const ownName = /^\.?enigma$/

export type Ownership =
  | { readonly owned: true; readonly real: string }
  | { readonly owned: false; readonly why: string | undefined }

/**
 * Whether a folder is Enigma's, and its real path; a `part` (`state`, `cache`, `logs`) also is when the home above it is. No reason
 * is given for one that is not there: there is nothing to remove in it.
 */
export async function ownership(folder: string, part: boolean): Promise<Ownership> {
  let real: string
  try {
    real = await realpath(folder)
  } catch {
    return { owned: false, why: undefined }
  }
  if ([parse(real).root, homedir(), tmpdir()].includes(real)) return refuse(folder, 'it is a folder of the system')
  for (const candidate of part ? [folder, dirname(folder)] : [folder]) {
    if (ownName.test(basename(candidate)) || (await hasSigns(candidate))) return { owned: true, real }
  }
  return refuse(folder, `what lies there is not only Enigma's. If it is, make an empty file '${marker}' in it`)
}

/** The marker, or parts of a home and nothing else. */
async function hasSigns(folder: string): Promise<boolean> {
  const names: string[] = await readdir(folder).catch(() => [])
  if (names.includes(marker)) return true
  return names.some((name) => layout.has(name)) && names.every((name) => layout.has(name) || name.endsWith('.tmp'))
}

/** Whether a real path is the folder or below it. */
export function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path)
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && parse(way).root === '')
}

function refuse(folder: string, why: string): Ownership {
  return { owned: false, why: `${folder} is left alone: ${why}` }
}
