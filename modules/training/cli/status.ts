import type { ModuleCommand } from '@enigma/kernel'
import type { TrainingService } from '../types.js'

export const statusCommand: ModuleCommand = {
  name: 'status',
  description: 'List the training jobs, running and done',
  async execute({ getInterface }) {
    return ((await getInterface('training')) as TrainingService).jobs()
  },
}
