import { readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { type Command as Commander, InvalidArgumentError, type Option } from 'commander'
import { CliError, isMissing } from './errors.js'
import { folders } from './folders.js'
import { suggestion } from './suggest.js'

// Where an option's value comes from: flag > environment (commander reads it) > `--config` file > settings file > default.

type Values = Readonly<Record<string, unknown>>

/** `topK` → `ENIGMA_TOP_K`. */
export function environmentName(option: string): string {
  return `ENIGMA_${option.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`
}

/** `top-k`, `top_k` and `topK` name one option. */
function optionName(key: string): string {
  return key.replace(/[-_]([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

/** The settings file of the home folder: `config.json`; nothing where there is none. */
export function readSettings(): { path: string; values: Values } {
  const path = join(folders().config, 'config.json')
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (isMissing(error)) return { path, values: {} }
    throw error
  }
  try {
    const values: unknown = JSON.parse(text)
    if (typeof values === 'object' && values !== null && !Array.isArray(values)) return { path, values: values as Values }
  } catch (cause) {
    throw new CliError('BAD_SETTING', `${path} is not JSON: ${cause instanceof Error ? cause.message : cause}`, { cause })
  }
  throw new CliError('BAD_SETTING', `${path} must hold a JSON object, such as {"model": "storyteller"}`)
}

/** A file of options, YAML or JSON by its name. */
export async function readOptionsFile(path: string): Promise<Values> {
  const text = readFileSync(path, 'utf8')
  let values: unknown
  try {
    values = extname(path) === '.json' ? JSON.parse(text) : (await import('yaml')).parse(text)
  } catch (cause) {
    throw new CliError('BAD_SETTING', `${path} cannot be read: ${cause instanceof Error ? cause.message : cause}`, { cause })
  }
  if (values === null || values === undefined) return {}
  if (typeof values === 'object' && !Array.isArray(values)) return values as Values
  throw new CliError('BAD_SETTING', `${path} must be a list of option names and values, such as 'steps: 200'`)
}

/** Gives options the values of a file, unless a flag or the environment gave them already. `known` are names that others may use. */
export function applyValues(command: Commander, values: Values, path: string, known: ReadonlySet<string> = new Set()): void {
  const named = command.options.filter(({ negate }) => !negate)
  const options = new Map(named.map((option) => [option.attributeName(), option]))
  for (const [key, value] of Object.entries(values)) {
    const name = optionName(key)
    const option = options.get(name)
    if (!option) {
      if (known.has(name)) continue
      throw new CliError('BAD_SETTING', `${path} has the unknown key '${key}'${suggestion(name, [...options.keys(), ...known])}`)
    }
    const source = command.getOptionValueSource(name)
    if (source !== undefined && source !== 'default') continue
    command.setOptionValueWithSource(name, read(option, value, `${path}: '${key}'`), 'config')
  }
}

function read(option: Option, value: unknown, where: string): unknown {
  if (option.isBoolean()) {
    if (typeof value === 'boolean') return value
    throw new CliError('BAD_SETTING', `${where} must be true or false`)
  }
  if (option.variadic) {
    const list = Array.isArray(value) ? value : [value]
    return list.map((one) => String(one))
  }
  if (typeof value !== 'string' && typeof value !== 'number')
    throw new CliError('BAD_SETTING', `${where} must be text or a number`)
  try {
    return option.parseArg ? option.parseArg(String(value), undefined) : String(value)
  } catch (error) {
    if (error instanceof InvalidArgumentError) throw new CliError('BAD_SETTING', `${where} is invalid. ${error.message}`)
    throw error
  }
}
