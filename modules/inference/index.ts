import { LanguageModel, TextGeneration, Tokenization } from '@enigma/contracts'
import { defineModule, ModuleError } from '@enigma/kernel'
import { LanguageModel as LoadedModel, TextGenerator } from '@enigma/lm'
import { TextEngine } from './text-engine.js'
import type { InferenceConfig } from './types.js'

/** Provides `text-generation` with the loaded model. */
export default defineModule<InferenceConfig, TextEngine>({
  async load(ctx) {
    const model = ownModel(ctx.use(LanguageModel).handle)
    const tokens = ctx.use(Tokenization)
    if (tokens.vocabSize !== model.tokenizer.vocabSize) {
      const sizes = `The tokenizer has ${tokens.vocabSize} tokens, the model '${model.name}' was trained with ${model.tokenizer.vocabSize}`
      throw failed(`${sizes}: they do not belong together. Load 'tokenizer' without a file to take the model's own.`)
    }
    const { parallel, threads, device } = ctx.config
    const generator = await TextGenerator.create(model, {
      ...(parallel !== undefined && { parallel }),
      // The engine has a queue of its own, for all that it does.
      queueLimit: Number.MAX_SAFE_INTEGER,
      ...(threads !== undefined && { threads }),
      ...(device !== undefined && { device }),
    })
    const engine = new TextEngine(generator, tokens, ctx.config, ctx.events)
    ctx.onDispose(() => engine.close(ctx.signal.reason), 'text generator')
    ctx.provide(TextGeneration, engine)
    return engine
  },

  health(_, engine) {
    const { model, running, waiting } = engine.status()
    const message = running > 0 ? `${model} is answering ${running} requests, ${waiting} waiting` : `${model} is ready`
    return { status: 'healthy', message }
  },

  usage: (_, engine) => engine.usage(),
})

/** Other engines may provide a `language-model` too; only ours can be run here. */
function ownModel(handle: unknown): LoadedModel {
  if (handle instanceof LoadedModel) return handle
  throw failed("The loaded language model is not one that this module can run. Load it through the module 'model'.")
}

function failed(message: string): ModuleError {
  return new ModuleError('LOAD_FAILED', message, { module: 'inference' })
}
