import { defineModule, token } from 'enigma'
import { requestImage } from './images-api.js'

const ImageGeneration = token('image-generation', '1.0')

export default defineModule({
  load(ctx) {
    const api = {
      /** Ends with an error when the module is unloaded meanwhile. */
      async generate(prompt, { width = 1024, height = 1024 } = {}) {
        const signal = AbortSignal.any([ctx.signal, AbortSignal.timeout(ctx.config.timeoutMs)])
        return { ...(await requestImage({ ...ctx.config, prompt, size: `${width}x${height}`, signal })), width, height }
      },
    }
    ctx.provide(ImageGeneration, api)
    return api
  },
})
