import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { ModuleDefinition } from '../define.js'
import { ModuleManager } from '../manager/manager.js'
import type { ManagerOptions } from '../manager/manager-types.js'
import type { Manifest, ManifestInput } from '../manifest/manifest.js'
import { ManifestReader } from '../manifest/manifest-read.js'
import { Catalogue, LoadedSet } from '../resolver/catalogue.js'
import type { ResolverState } from '../resolver/resolver.js'

// Short ways to make manifests, resolver states, managers and module folders in tests.

export const gigabyte = 2 ** 30

const reader = new ManifestReader()

export function manifest(id: string, rest: Omit<ManifestInput, 'id' | 'version'> & { version?: string } = {}): Manifest {
  return reader.require({ id, version: '1.0.0', ...rest }, id)
}

export function stateOf(
  manifests: readonly Manifest[],
  rest: Partial<ResolverState> & { up?: readonly string[] } = {},
): ResolverState {
  const catalogue = new Catalogue(manifests)
  return {
    catalogue,
    loaded: new LoadedSet((rest.up ?? []).map((id) => catalogue.get(id)!)),
    disabled: new Set(),
    localOnly: true,
    capacity: { ram: 8 * gigabyte, vram: 0, gpu: false },
    ...rest,
  }
}

/** A manager on a machine without GPU with 8 GB of memory, all free. */
export function openManager(options: ManagerOptions = {}): Promise<ModuleManager> {
  const hardware = { gpus: [], ramTotal: 16 * gigabyte, ramFree: 8 * gigabyte, ...options.hardware }
  return ModuleManager.open({ ...options, hardware })
}

/** Registers a module that writes down what is done with it. */
export function tracked(
  manager: ModuleManager,
  log: string[],
  id: string,
  rest: Omit<ManifestInput, 'id' | 'version'> & { version?: string } = {},
  module: ModuleDefinition = {},
): void {
  const trace = (what: 'load' | 'start' | 'stop' | 'unload') => async (ctx: never, api?: unknown) => {
    log.push(`${what} ${id}`)
    return (module[what] as ((ctx: never, api: unknown) => unknown) | undefined)?.(ctx, api)
  }
  manager.register({
    manifest: { id, version: '1.0.0', ...rest },
    module: { ...module, load: trace('load'), start: trace('start'), stop: trace('stop'), unload: trace('unload') },
  })
}

/** A folder of files in the system's temporary folder, and its removal. */
export function temporaryFolder(files: Readonly<Record<string, string>> = {}): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'enigma-kernel-'))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true })
    writeFileSync(join(path, name), text)
  }
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}
