import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode } from '@enigma/tensor/formats'
import { LmError } from '../errors.js'
import { isObject } from './config-fields.js'

/** What beside a model's configuration, tokenizer and weights decides what it answers. */
export const MODEL_SETTINGS = [
  'tokenizer_config.json',
  'special_tokens_map.json',
  'generation_config.json',
  'chat_template.jinja',
] as const

/** What Hugging Face keeps beside a model's configuration, tokenizer and weights, and this project carries along. */
export const COMPANIONS = [...MODEL_SETTINGS, 'README.md', 'LICENSE'] as const

/** What a model that is replaced would leave in its folder: its shards, and of `companions` what the new one does not write. */
export async function staleFiles(
  folder: string,
  written: readonly string[],
  companions: readonly string[] = COMPANIONS,
): Promise<string[]> {
  const names = await readdir(folder).catch((): string[] => [])
  const belongs = (name: string) => companions.includes(name) || /\.safetensors(\.index\.json)?$/.test(name)
  return names.filter((name) => belongs(name) && !written.includes(name))
}

/**
 * The jinja template of chats in a model folder: `chat_template.jinja`, or in `tokenizer_config.json` (of several the one named default).
 * @throws LmError FILE_CORRUPT
 */
export async function readChatTemplate(folder: string): Promise<string | undefined> {
  const own = await textOf(join(folder, 'chat_template.jinja'))
  if (own !== undefined) return own
  const settings = await readJsonObject(join(folder, 'tokenizer_config.json'))
  const given = settings?.chat_template
  if (typeof given === 'string') return given
  const named = Array.isArray(given) ? given.find((entry) => isObject(entry) && entry.name === 'default') : undefined
  return isObject(named) && typeof named.template === 'string' ? named.template : undefined
}

/** A JSON object in a file; undefined where there is no such file. @throws LmError FILE_CORRUPT, FILE_NOT_FOUND */
export async function readJsonObject(path: string): Promise<Record<string, unknown> | undefined> {
  const text = await textOf(path)
  if (text === undefined) return undefined
  const damaged = (what: string, cause?: unknown) => new LmError('FILE_CORRUPT', `${path} is damaged: it is ${what}`, { cause })
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw damaged('not JSON', error)
  }
  if (!isObject(value)) throw damaged('no JSON object')
  return value
}

async function textOf(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: Error) => {
    if (errorCode(error) === 'ENOENT') return undefined
    throw new LmError('FILE_NOT_FOUND', `${path} cannot be read: ${error.message}`, { cause: error })
  })
}
