import type { ModuleCommand } from '@enigma/kernel'
import type { GgufLoader } from '../types.js'

export const statusCommand: ModuleCommand = {
  name: 'status',
  description: 'Show the file that answers, its process, and what is under way',
  async execute({ getInterface }) {
    return ((await getInterface('gguf-loader')) as GgufLoader).status()
  },
}
