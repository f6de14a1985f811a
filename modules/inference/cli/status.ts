import type { ModuleCommand } from '@enigma/kernel'
import type { Inference } from '../types.js'

export const statusCommand: ModuleCommand = {
  name: 'status',
  description: 'Show the model that answers and what is waiting',
  async execute({ getInterface }) {
    return ((await getInterface('inference')) as Inference).status()
  },
}
