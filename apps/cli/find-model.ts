import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** A name that is a model's folder here is meant as that folder; other names are left to be looked up. */
export function localFolder(name: string): string {
  const isModel = ['config.json', 'adapter_config.json'].some((file) => existsSync(join(name, file)))
  return isModel ? resolve(name) : name
}

/** The folder of a model named by name or folder. */
export async function modelFolder(name: string): Promise<string> {
  const { modelRoots, resolveModel } = await import('enigma')
  return resolveModel({ model: localFolder(name) }, modelRoots())
}
