import { enigmaFolders } from '@enigma/files'
import { ModuleManager as Kernel, type ManagerOptions } from '@enigma/kernel'
import { builtinModules } from './builtin-modules.js'

export interface OpenOptions extends ManagerOptions {
  /** Folders of further modules, or modules themselves, beside the built-in ones. */
  modules?: readonly string[]
}

export type ModuleManager = Kernel

/** The module system with the built-in modules in it. */
export const ModuleManager = {
  /** Discovers the built-in modules and those of `options.modules`; none of their code runs. */
  open(options: OpenOptions = {}): Promise<ModuleManager> {
    const shipped = builtinModules()
    return Kernel.open({
      shipped,
      stateFolder: enigmaFolders().state,
      ...options,
      modules: [...shipped, ...(options.modules ?? [])],
    })
  },
} as const
