import { CodeGeneration, TextGeneration } from '@enigma/contracts'
import { CodeService } from '@enigma/engines'
import { defineModule } from '@enigma/kernel'
import type { CodeGenLocalConfig } from './types.js'

/** Provides `code-generation` with whatever generates text. */
export default defineModule<CodeGenLocalConfig, CodeService>({
  load(ctx) {
    const service = new CodeService(ctx.use(TextGeneration), ctx.config)
    ctx.provide(CodeGeneration, service)
    return service
  },
})
