import { expect, it } from 'vitest'
import { saveModel } from '../checkpoint/index.js'
import { smallTokenizer, TemporaryFolder } from '../data/data.test.support.js'
import { TextGenerator } from '../generation/text-generator.js'
import { LanguageModel } from '../language-model.js'
import { LlamaForCausalLM } from '../model/llama.js'
import { presetConfig } from '../presets.js'
import { ChatTemplate, chatMl } from './chat-template.js'
import { tokenizerConfigFile } from './template-file.js'

it('a model folder keeps its chat template, and a conversation with it is written so', async () => {
  using folder = new TemporaryFolder()
  const tokenizer = await smallTokenizer()
  const config = presetConfig('nano', tokenizer.vocabSize, { context: 64, bosId: 0, eosIds: [0, 2] })
  await saveModel(folder.path, {
    config,
    tensors: Object.fromEntries(new LlamaForCausalLM(config).namedParameters()),
    tokenizerJson: JSON.stringify(tokenizer.toJson()),
    beside: tokenizerConfigFile(tokenizer, new ChatTemplate(chatMl, tokenizer), 64),
  })
  const model = await LanguageModel.load(folder.path)
  expect(model.chatTemplate?.source).toBe(chatMl)
  expect(model.config.eosIds).toEqual([0, 2])
  const generator = await TextGenerator.create(model, { threads: 1, spin: false })
  const { prompt } = generator.chatPrompt([{ role: 'user', content: 'the fox' }], 8)
  expect(tokenizer.decode(prompt as number[])).toBe('<|im_start|>user\nthe fox<|im_end|>\n<|im_start|>assistant\n')
  const { promptTokens } = await generator.complete(prompt, { maxTokens: 4, temperature: 0 })
  expect(promptTokens).toBe(prompt.length + 1)
  generator.close()
})
