import { LanguageModel, Tokenization } from '@enigma/contracts'
import { defineModule } from '@enigma/kernel'
import { Tokenizer } from '@enigma/lm'
import { fixedVocabulary, ModelTokenizer, vocabularyOf } from './model-tokenizer.js'
import type { TokenizerModuleConfig, TokenizerService } from './types.js'

/** Provides `tokenization`: the loaded model's tokenizer, or the one of a file. */
export default defineModule<TokenizerModuleConfig, TokenizerService>({
  async load(ctx) {
    const { file } = ctx.config
    const current =
      file === undefined ? vocabularyOf(() => ctx.maybe(LanguageModel)) : fixedVocabulary(await Tokenizer.load(file), file)
    const tokenizer = new ModelTokenizer(current)
    ctx.provide(Tokenization, tokenizer)
    return tokenizer
  },

  health(ctx) {
    if (ctx.config.file !== undefined || ctx.maybe(LanguageModel) !== undefined) return { status: 'healthy' }
    return { status: 'degraded', message: "no model is loaded, so there is no tokenizer; load('model')" }
  },
})
