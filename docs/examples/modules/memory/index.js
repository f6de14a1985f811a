import { join } from 'node:path'
import { defineModule, enigmaFolders, token } from 'enigma'
import { ConversationFile } from './conversation-file.js'

const ConversationStorage = token('conversation-storage', '1.0')

export default defineModule({
  async load(ctx) {
    const path = ctx.config.path ?? join(enigmaFolders().data, 'conversations.json')
    const memory = await ConversationFile.open(path)
    ctx.onDispose(() => memory.written(), 'last write')
    ctx.provide(ConversationStorage, memory)
    return memory
  },
})
