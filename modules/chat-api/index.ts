import { TextGeneration } from '@enigma/contracts'
import { OpenAiEngine } from '@enigma/engines'
import { defineModule } from '@enigma/kernel'
import { ChatService } from './chat-service.js'
import type { ChatApiConfig } from './types.js'

/** Provides `text-generation` by asking a server. Loading it asks nothing yet. */
export default defineModule<ChatApiConfig, ChatService>({
  load(ctx) {
    const engine = new OpenAiEngine({ ...ctx.config, timeout: ctx.config.timeout * 1000 })
    const service = new ChatService(engine, ctx.config, ctx.events)
    ctx.onDispose(() => service.close(ctx.signal.reason), 'requests')
    ctx.provide(TextGeneration, service)
    return service
  },

  health(_, service) {
    const { model, server } = service.status()
    return { status: 'healthy', message: `asks ${server} for ${model}` }
  },
})
