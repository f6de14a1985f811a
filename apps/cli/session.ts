import { existsSync, readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { delimiter, dirname, resolve } from 'node:path'
import type { Inference, ModuleError, ModuleManager, TextGeneration } from 'enigma'
import type { OptionSpec } from './command.js'
import { inCommandWords } from './command-words.js'
import { CliError, sentence } from './errors.js'
import { localFolder, pulledSource } from './find-model.js'
import { installedModules, savedSetPath } from './folders.js'
import type { Output } from './output/output.js'

/** Folders of further modules: `ENIGMA_MODULES` (separated as PATH is) and `modules/` in the home folder. */
export function moduleFolders(): string[] {
  const named = (process.env.ENIGMA_MODULES ?? '').split(delimiter).filter(Boolean)
  const own = installedModules()
  return existsSync(own) ? [...named, own] : named
}

/**
 * A manager with the built-in modules and those of {@link moduleFolders}; none of their code has run. What modules log as a
 * warning or an error is shown. `ENIGMA_ALLOW_CLOUD=1` admits modules that reach external services.
 */
export async function openManager(out: Output): Promise<ModuleManager> {
  const { ModuleManager } = await import('enigma')
  const manager = await ModuleManager.open({
    modules: moduleFolders(),
    installed: installedModules(),
    localOnly: process.env.ENIGMA_ALLOW_CLOUD !== '1',
  })
  manager.events.on('log', ({ level, message }) => {
    if (level === 'warn') out.warn(message)
    if (level === 'error') out.error(message)
  })
  return manager
}

/** Loads the saved set, where there is one. The files of the modules in `accept` may differ from those that were saved. */
async function restoreSavedSet(manager: ModuleManager, accept: readonly string[] = []): Promise<void> {
  const path = savedSetPath()
  if (!existsSync(path)) return
  try {
    await manager.loadConfig(path, { accept })
  } catch (cause) {
    throw new CliError('CHECK_FAILED', `The saved modules (${path}) cannot be loaded: ${whyNotRestored(cause)}`, { cause })
  }
}

/** More than any model has. */
const allLayers = 999

const startOver = 'tart over with: enigma modules unload --all'

function whyNotRestored(cause: unknown): string {
  const { code, module } = cause as Partial<ModuleError>
  if (code === 'NOT_REGISTERED' && module !== undefined)
    return `'${module}' is not there any more. Name its folder in ENIGMA_MODULES, add it again, or s${startOver}`
  const why = inCommandWords(cause instanceof Error ? cause.message : String(cause))
  return why.includes(startOver) ? why : `${sentence(why)} Or s${startOver}`
}

/** Loads the saved set, changes it, and saves what came of it: nothing when the change fails. */
export async function changeSavedSet<T>(
  out: Output,
  change: (manager: ModuleManager) => Promise<T>,
  accept?: readonly string[],
): Promise<T & { saved: string }> {
  await using manager = await openSavedSet(out, accept)
  const result = await change(manager)
  const saved = savedSetPath()
  await mkdir(dirname(saved), { recursive: true })
  await manager.saveConfig(saved)
  return { ...result, saved }
}

/** The saved set, loaded, to be looked at. */
export async function openSavedSet(out: Output, accept?: readonly string[]): Promise<ModuleManager> {
  const manager = await openManager(out)
  try {
    await restoreSavedSet(manager, accept)
    return manager
  } catch (error) {
    await manager.shutdown()
    throw error
  }
}

/** The saved set, loaded, if the module is in it; else nothing is loaded yet. */
export async function openManagerOf(module: string, out: Output): Promise<ModuleManager> {
  const path = savedSetPath()
  const saved = existsSync(path) && readFileSync(path, 'utf8').includes(JSON.stringify(module))
  return saved ? openSavedSet(out) : openManager(out)
}

/** Where a model computes: choices of `--device`. */
export type Device = 'cpu' | 'webgpu' | 'cuda'

/** How weights are rounded: choices of `--quantization`. */
export type Quantization = 'int8' | 'int4'

export const quantizationOption: OptionSpec = {
  flags: '--quantization <name>',
  text: 'round the weights: smaller and faster (default: as they are)',
  choices: ['int8', 'int4'],
  setting: true,
}

/** Options of every command that lets a model speak. */
export interface ModelOptions {
  readonly model?: string
  readonly size?: string
  readonly threads?: number
  readonly device?: Device
  readonly quantization?: Quantization
}

/** What generates text, and the module it comes from. */
export interface Generation {
  readonly engine: TextGeneration
  readonly module: string
  /** The engine of the module `inference`, which can do more than others. @throws CliError naming what is asked for */
  own(what: string): Inference
}

/** Loads what generates text: the asked model or GGUF file, or what the saved set has for it, or the default. */
export async function loadGeneration(manager: ModuleManager, options: ModelOptions): Promise<Generation> {
  const module = await loadEngine(manager, options)
  return {
    module,
    engine: manager.getInterface<TextGeneration>(module),
    own(what) {
      if (module === 'inference') return manager.getInterface('inference')
      throw new CliError('USAGE', `${what} needs the module 'inference'; here '${module}' answers.`)
    },
  }
}

/** Loads it, and gives the module's id. */
async function loadEngine(manager: ModuleManager, options: ModelOptions): Promise<string> {
  const { size, threads, device } = options
  const model = options.model === undefined ? undefined : await pulledOr(options.model)
  if (model !== undefined && size === undefined && /\.gguf$/i.test(model)) {
    if (options.quantization !== undefined)
      throw new CliError('USAGE', `--quantization rounds weights that are numbers; a GGUF file is read as it is. Leave it out.`)
    const layers = device === undefined || device === 'cpu' ? {} : { gpuLayers: allLayers }
    await manager.load('gguf-loader', { model: resolve(model), ...(threads !== undefined && { threads }), ...layers })
    return 'gguf-loader'
  }
  const wished = wish(options)
  if (Object.keys(wished).length === 0) {
    await restoreSavedSet(manager)
    const other = manager.listModules({ capability: 'text-generation' }).find(({ state }) => state === 'active')
    // Threads and device are a matter of its config there.
    if (other && other.id !== 'inference') return other.id
  } else await manager.load('model', wished)
  const config = { ...(threads !== undefined && { threads }), ...(device !== undefined && { device }) }
  await manager.load('inference', Object.keys(config).length === 0 ? undefined : config)
  return 'inference'
}

/** What was pulled under this name; what was not is left to the module, which says where it looked. */
async function pulledOr(name: string): Promise<string> {
  try {
    return (await pulledSource(name)) ?? name
  } catch (error) {
    if (error instanceof CliError) throw error
    return name
  }
}

/** Both at once is refused by the module, which says so. */
function wish({ model, size, quantization }: ModelOptions): Record<string, string> {
  return {
    ...(model !== undefined && { model: localFolder(model) }),
    ...(size !== undefined && { size }),
    ...(quantization !== undefined && { quantization }),
  }
}
