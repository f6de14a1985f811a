import type { LanguageModelService } from '@enigma/contracts'
import type { ModuleCommand } from '@enigma/kernel'

export const statusCommand: ModuleCommand = {
  name: 'status',
  description: 'Show the loaded model',
  async execute({ getInterface }) {
    const { name, folder, size, parameters, vocabSize, contextLength } = (await getInterface('model')) as LanguageModelService
    return { name, folder, size: size ?? null, parameters, vocabSize, contextLength }
  },
}
