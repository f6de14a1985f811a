import { CodeGeneration } from '@enigma/contracts'
import { CodeService, OpenAiEngine, TextService } from '@enigma/engines'
import { defineModule } from '@enigma/kernel'
import type { CodeGenApiConfig } from './types.js'

/** Provides `code-generation` by asking a server. Loading it asks nothing yet. */
export default defineModule<CodeGenApiConfig, CodeService>({
  load(ctx) {
    const { maxTokens, temperature, timeout, ...server } = ctx.config
    const engine = new OpenAiEngine({ ...server, timeout: timeout * 1000, raw: 'completions', extensions: false })
    const requests = new TextService(engine, { events: ctx.events, defaults: {} })
    ctx.onDispose(() => requests.close(ctx.signal.reason), 'requests')
    const service = new CodeService(requests, { maxTokens, temperature })
    ctx.provide(CodeGeneration, service)
    return service
  },
})
