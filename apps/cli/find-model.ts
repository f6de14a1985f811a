import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { CliError } from './errors.js'

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

/**
 * What was pulled under a name of the hub, a model's folder or its only GGUF file; undefined for what lies here or is no such name.
 * @throws LmError FILE_NOT_FOUND, HUB_OFFLINE where it was not pulled; CliError USAGE where there are several GGUF files
 */
export async function pulledSource(name: string): Promise<string | undefined> {
  if (existsSync(name)) return undefined
  const { cachedFolder } = await import('enigma')
  const folder = await cachedFolder(name)
  if (folder === undefined || existsSync(join(folder, 'config.json'))) return folder
  const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('.gguf'))
  if (files.length === 1) return join(folder, files[0]!)
  throw new CliError('USAGE', `${name} is ${files.length} GGUF files in ${folder}. Give the path of one: ${files.join(', ')}`)
}
