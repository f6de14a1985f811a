import { existsSync } from 'node:fs'
import { ModuleError } from '../errors.js'
import { bundle } from './bundle.js'
import { type Evaluated, evaluate } from './evaluate.js'
import { sourceFile } from './source-file.js'

/**
 * What a file of a module exports, bundled and evaluated as it is now.
 * @throws ModuleError `ENTRY_MISSING`, `BUNDLE_FAILED`, or what its code throws
 */
export async function evaluateFile(id: string, folder: string, entry: string): Promise<Evaluated> {
  const { path, builtPath } = sourceFile(folder, entry)
  if (!existsSync(path)) {
    const message = `Module '${id}': ${entry} does not exist in ${folder}. Correct the path in its module.yaml.`
    throw new ModuleError('ENTRY_MISSING', message, { module: id })
  }
  return evaluate(await bundle(id, path), path, builtPath)
}
