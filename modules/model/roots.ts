import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { enigmaFolders } from '@enigma/files'

// Where the models lie. Imports little, so that a command may ask without loading a module.

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Where models are looked for by name, first wins: the user's data folder, `models` in the working folder, the models that
 * ship (`models` at the workspace's root; of an installed package, in the `enigma` package beside this one).
 */
export function modelRoots(env: Environment = process.env, cwd: string = process.cwd()): string[] {
  const shipped = ['../../../models', '../../../enigma/models'].map((path) => fileURLToPath(new URL(path, import.meta.url)))
  return [...new Set([join(enigmaFolders(env).data, 'models'), join(cwd, 'models'), ...shipped])]
}
