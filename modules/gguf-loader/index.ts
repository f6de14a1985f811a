import { stat } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { TextGeneration } from '@enigma/contracts'
import { defineModule, ModuleError } from '@enigma/kernel'
import { GgufService } from './gguf-service.js'
import { LlamaProcess } from './llama-process.js'
import type { GgufLoaderConfig } from './types.js'

/** Provides `text-generation` with a GGUF file. */
export default defineModule<GgufLoaderConfig, GgufService>({
  // The file is mapped into memory; what it is computed with is little beside it.
  async estimate(config) {
    const size = await stat(fileOf(config)).then(
      (entry) => entry.size,
      () => 0,
    )
    return { ram: size }
  },

  async load(ctx) {
    // llama.cpp's bindings start four threads on two cores, which wait for each other in loops: many times slower.
    const { context, parallel, gpuLayers, threads = availableParallelism(), cacheType } = ctx.config
    const file = fileOf(ctx.config)
    const options = { file, context, parallel, gpuLayers, threads, cacheType, library: 'node-llama-cpp' }
    const process = await LlamaProcess.start(options, ctx.signal)
    const service = new GgufService(process, ctx.config, ctx.events)
    ctx.onDispose(async () => {
      await service.close(ctx.signal.reason)
      await process.close()
    }, 'process of llama.cpp')
    ctx.provide(TextGeneration, service)
    return service
  },

  health(_, service) {
    const { model, pid, running } = service.status()
    if (pid === undefined) return { status: 'degraded', message: `${model} crashed; the next request starts it again` }
    return { status: 'healthy', message: running > 0 ? `${model} is answering` : `${model} is ready` }
  },

  usage: (_, service) => ({ ram: service.status().pid === undefined ? 0 : service.status().ram }),
})

function fileOf({ model }: GgufLoaderConfig): string {
  if (model !== undefined) return resolve(model)
  throw new ModuleError('BAD_CONFIG', "Pass the file to run: { model: './model.gguf' }", { module: 'gguf-loader' })
}
