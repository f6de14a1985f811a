import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import type { ModuleDefinition } from '../define.js'
import { entryPath, importDefinition } from '../discovery/entry.js'
import type { InterfaceLookup } from '../discovery/seed-class.js'
import { ModuleError } from '../errors.js'
import { isTypeScript } from '../hot-reload/source-file.js'
import type { Manifest, ModuleRuntime } from '../manifest/manifest.js'
import { startProcess } from './host/process.js'
import { RemoteModule } from './host/remote-module.js'
import { startWorker } from './host/worker.js'
import { httpConnection } from './mcp/http-connection.js'
import { McpModule } from './mcp/mcp-module.js'
import { stdioConnection } from './mcp/stdio-connection.js'
import { isJavaScript } from './sandbox/languages.js'
import { detectPlatform, type Platform } from './sandbox/platform.js'
import { WasmModule } from './wasm/wasm-module.js'

type Definition = ModuleDefinition<never>
type Source = (manifest: Manifest, folder: string, lookup: InterfaceLookup) => Definition | Promise<Definition>

/** Where a module's code runs: each runtime is a source of ordinary definitions, whose work happens elsewhere. */
export class Runtimes {
  #platform: Platform | undefined

  /** A new definition for one life of a module. @throws ModuleError `ENTRY_MISSING`, `PATH_ESCAPE`, `BAD_MODULE` */
  definitionOf(manifest: Manifest, folder: string, lookup: InterfaceLookup): Definition | Promise<Definition> {
    if (manifest.runtime !== 'remote') entryPath(manifest.id, folder, manifest.entry)
    return this.#sources[manifest.runtime](manifest, folder, lookup)
  }

  readonly #sources: Readonly<Record<ModuleRuntime, Source>> = {
    inproc: importDefinition,
    process: (manifest, folder, lookup) => {
      const data = dataFolder(manifest.id)
      if (isTypeScript(manifest.entry)) throw notBuilt(manifest)
      if (!isJavaScript(manifest.entry)) return new McpModule(manifest, stdioConnection(manifest, folder, data, this.platform))
      return new RemoteModule(manifest, folder, startProcess(manifest, folder, data, this.platform), lookup)
    },
    worker: (manifest, folder, lookup) => new RemoteModule(manifest, folder, startWorker(manifest), lookup),
    wasm: (manifest, folder) => new WasmModule(manifest, folder),
    remote: (manifest) => new McpModule(manifest, httpConnection(manifest)),
  }

  /** Looked at once: trying bubblewrap takes some milliseconds. */
  get platform(): Platform {
    return (this.#platform ??= detectPlatform())
  }
}

// The bundler is a program, which a process of its own may not start.
function notBuilt({ id, entry }: Manifest): ModuleError {
  const fix = 'Build it and name the result, or leave it to run in this process (runtime: inproc) or a thread (worker).'
  return new ModuleError('RUNTIME_UNSUPPORTED', `Module '${id}': ${entry} is TypeScript, and a process runs JavaScript. ${fix}`, {
    module: id,
  })
}

/** `$DATA`: as `enigmaFolders` has it, which the kernel, knowing nothing of the rest, cannot ask. */
function dataFolder(id: string): string {
  const { ENIGMA_HOME: home, XDG_DATA_HOME: xdg } = process.env
  const data = xdg && isAbsolute(xdg) ? xdg : join(homedir(), '.local', 'share')
  return join(home ? resolve(home) : join(data, 'enigma'), 'module-data', id)
}
