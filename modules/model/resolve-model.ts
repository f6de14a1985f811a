import { stat } from 'node:fs/promises'
import { isAbsolute, resolve } from 'node:path'
import { ModuleError } from '@enigma/kernel'
import { cachedFolder, type FoundModel, findModels } from '@enigma/lm'

/** What is asked for: one of the two, or neither for the model that ships. */
export interface ModelWish {
  readonly model?: string
  readonly size?: string
}

/** The model that ships. */
const shipped = 'storyteller'

/**
 * The folder of the model that is meant. A name is looked up in the roots, first root first; anything with a slash is a folder, or where
 * there is none such, `owner/name` in the Hugging Face cache.
 * @throws ModuleError `BAD_CONFIG` for both wishes at once, `LOAD_FAILED` when there is no such model, with what there is
 */
export async function resolveModel({ model, size }: ModelWish, roots: readonly string[]): Promise<string> {
  if (model !== undefined && size !== undefined) {
    throw new ModuleError('BAD_CONFIG', `Pass { model: '${model}' } or { size: '${size}' }, not both.`, { module: 'model' })
  }
  if (size !== undefined) return newestOf(size, await findModels(roots))
  const name = model ?? shipped
  if (isPath(name)) return existing(name)
  for (const root of roots) {
    const found = (await findModels([root])).find((candidate) => candidate.name === name)
    if (found) return found.folder
  }
  const names = [...new Set((await findModels(roots)).map((found) => found.name))]
  const there =
    names.length === 0
      ? 'There are none yet: run enigma train'
      : `There ${names.length === 1 ? 'is' : 'are'}: ${names.join(', ')}`
  throw missing(`No model '${name}'. ${there}, or pass the folder of a model.`)
}

function newestOf(size: string, models: readonly FoundModel[]): string {
  const [newest] = models
    .filter((found) => found.status === 'ok' && found.preset === size)
    .sort((a, b) => modifiedAt(b) - modifiedAt(a))
  if (newest) return newest.folder
  throw missing(`No trained '${size}' model. Run enigma train --size ${size}, or pass { model: '${shipped}' }`)
}

function modifiedAt(found: FoundModel): number {
  return found.status === 'ok' ? found.modified.getTime() : 0
}

async function existing(path: string): Promise<string> {
  const folder = resolve(path)
  const isFolder = await stat(folder).then(
    (entry) => entry.isDirectory(),
    () => false,
  )
  if (isFolder) return folder
  const pulled = await cachedFolder(path).catch((error: Error) => {
    throw missing(`No model folder at ${folder}, and ${error.message}`, error)
  })
  if (pulled !== undefined) return pulled
  throw missing(`No model folder at ${folder}. Pass the name of a model or the folder that holds its config.json.`)
}

function isPath(name: string): boolean {
  return isAbsolute(name) || name.startsWith('.') || /[\\/]/.test(name)
}

function missing(message: string, cause?: Error): ModuleError {
  return new ModuleError('LOAD_FAILED', message, { module: 'model', cause })
}
