import type { ModuleCommand } from '@enigma/kernel'
import type { ChatApi } from '../types.js'

export const statusCommand: ModuleCommand = {
  name: 'status',
  description: 'Show whom it asks and what is under way',
  async execute({ getInterface }) {
    return ((await getInterface('chat-api')) as ChatApi).status()
  },
}
