import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { LanguageModel, type LanguageModelService, type ModelHandle } from '@enigma/contracts'
import { defineModule, ModuleError } from '@enigma/kernel'
import { describedIn, LanguageModel as LoadedModel, lockHolder, openModelFolder, quantizationOf, weightBytes } from '@enigma/lm'
import { resolveModel } from './resolve-model.js'
import { modelRoots } from './roots.js'
import type { ModelModuleConfig } from './types.js'

/** Keeps one language model in memory and provides it as `language-model`. */
export default defineModule<ModelModuleConfig, LanguageModelService>({
  // Twice: the weights as they are read, and once more as the engine that runs them packs them.
  async estimate(config) {
    await using files = await openModelFolder(await describedIn(await freeFolder(config)), { verify: false })
    const { quantization } = config
    const rounded = quantization === undefined ? (files.quantized?.quantization ?? null) : quantizationOf(quantization)
    return { ram: 2 * weightBytes(files.config, rounded) }
  },

  async load(ctx) {
    const begun = performance.now()
    const model = await LoadedModel.load(await freeFolder(ctx.config), {
      verify: ctx.config.verify,
      ...(ctx.config.quantization && { quantization: ctx.config.quantization }),
    })
    const { name, parameters, preset, config } = model
    const service: LanguageModelService = {
      name,
      folder: model.folder,
      ...(preset !== null && { size: preset }),
      parameters,
      vocabSize: config.vocabSize,
      contextLength: config.context,
      config: JSON.parse(await readFile(join(await describedIn(model.folder), 'config.json'), 'utf8')) as Record<string, unknown>,
      handle: model as unknown as ModelHandle,
    }
    ctx.provide(LanguageModel, service)
    ctx.onDispose(() => void ctx.events.emit('model.unloaded', { name }), `model ${name}`)
    ctx.events.emit('model.loaded', { name, folder: model.folder, parameters, ms: performance.now() - begun })
    return service
  },

  usage: (_, { handle }) => ({ ram: (handle as unknown as LoadedModel).bytes }),
})

/** The folder that is meant, if nobody holds it: weights that are being trained change under whoever reads them. */
async function freeFolder(config: ModelModuleConfig): Promise<string> {
  const folder = await resolveModel(config, modelRoots())
  const holder = await lockHolder(folder)
  if (holder === null) return folder
  const who = `process ${holder.pid} on ${holder.host} since ${holder.since}`
  const message = `The model in ${folder} is in use for ${holder.purpose} by ${who}. Wait for it, stop it, or load another model.`
  throw new ModuleError('LOAD_FAILED', message, { module: 'model' })
}
