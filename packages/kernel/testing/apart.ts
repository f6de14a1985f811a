import type { ModuleManager } from '../manager/manager.js'
import type { ManagerOptions } from '../manager/manager-types.js'
import { openManager, temporaryFolder } from './build.js'

// Modules on disk that run in processes and threads of their own, for tests.

/** `files` by path; manifests as JSON, which is YAML too. */
export interface ApartModule {
  readonly manifest: Readonly<Record<string, unknown>>
  readonly files: Readonly<Record<string, string>>
}

/** A manager over modules written to a temporary folder; disposing it shuts down and removes them. */
export async function openApart(
  modules: readonly ApartModule[],
  options: ManagerOptions = {},
): Promise<{ manager: ModuleManager; logs: string[]; folder: string; close(): Promise<void> }> {
  const files: Record<string, string> = {}
  for (const { manifest, files: own } of modules) {
    files[`${manifest.id}/module.yaml`] = JSON.stringify({ version: '1.0.0', entry: './index.mjs', ...manifest })
    for (const [name, text] of Object.entries(own)) files[`${manifest.id}/${name}`] = text
  }
  const folder = temporaryFolder(files)
  const manager = await openManager({ ...options, modules: [folder.path] })
  const logs: string[] = []
  manager.events.on('log', ({ level, message }) => void logs.push(`${level} ${message}`))
  const close = async () => {
    await manager.shutdown().finally(() => folder.remove())
  }
  return { manager, logs, folder: folder.path, close }
}
