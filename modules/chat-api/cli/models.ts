import type { ModuleCommand } from '@enigma/kernel'
import type { ChatApi } from '../types.js'

export const modelsCommand: ModuleCommand = {
  name: 'models',
  description: 'List the models that the server has',
  async execute({ getInterface, signal }) {
    return (await ((await getInterface('chat-api')) as ChatApi).models(signal)).join('\n')
  },
}
