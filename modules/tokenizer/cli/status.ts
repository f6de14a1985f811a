import type { ModuleCommand } from '@enigma/kernel'
import type { TokenizerService } from '../types.js'

export const statusCommand: ModuleCommand = {
  name: 'status',
  description: 'Show which tokenizer is in use',
  async execute({ getInterface }) {
    const tokenizer = (await getInterface('tokenizer')) as TokenizerService
    const { source } = tokenizer
    if (source === undefined) return { source: null, vocabSize: null }
    return { source, vocabSize: tokenizer.vocabSize, bosId: tokenizer.bosId ?? null, eosId: tokenizer.eosId ?? null }
  },
}
