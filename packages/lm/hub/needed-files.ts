import { CONFIG, MODEL, TOKENIZER } from '../checkpoint/model-folder.js'
import { LmError } from '../errors.js'
import { COMPANIONS } from '../formats/companions.js'
import type { HubFile } from './hub-revision.js'

const INDEX = `${MODEL}.index.json`
const shard = /^model-\d+-of-\d+\.safetensors$/

/**
 * The files that are needed to use a model: configuration, tokenizer, weights (in one piece or in shards) and what is said beside them. Or
 * those chosen by their paths.
 * @throws LmError HUB_NOT_FOUND where there are no such files, naming those there are
 */
export function neededFiles(files: readonly HubFile[], chosen: readonly string[], what: string): HubFile[] {
  const paths = new Set(files.map(({ path }) => path))
  const absent = chosen.find((path) => !paths.has(path))
  if (absent !== undefined) throw new LmError('HUB_NOT_FOUND', `${what} has no file ${absent}. It has: ${shown(files)}`)
  if (chosen.length > 0) return files.filter(({ path }) => chosen.includes(path))

  const lacking = [CONFIG, TOKENIZER].find((name) => !paths.has(name))
  const weights = paths.has(MODEL) ? [MODEL] : paths.has(INDEX) ? [INDEX, ...[...paths].filter((path) => shard.test(path))] : []
  if (lacking !== undefined || weights.length === 0)
    throw new LmError(
      'HUB_NOT_FOUND',
      `${what} has no ${lacking ?? MODEL}, so that it cannot be used as it is. Choose a file with --file; it has: ${shown(files)}`,
    )
  const needed = new Set<string>([CONFIG, TOKENIZER, ...COMPANIONS, ...weights])
  return files.filter(({ path }) => needed.has(path))
}

const most = 20

function shown(files: readonly HubFile[]): string {
  const names = files.slice(0, most).map(({ path }) => path)
  return names.join(', ') + (files.length > most ? ` and ${files.length - most} more` : '')
}
