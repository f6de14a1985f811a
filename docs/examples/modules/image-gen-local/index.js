import { defineModule, token } from 'enigma'
import { paint } from './painter.js'
import { png } from './png.js'

const ImageGeneration = token('image-generation', '1.0')

export default defineModule({
  load(ctx) {
    const api = {
      /** The same prompt gives the same picture. */
      async generate(prompt, { width = 256, height = 256 } = {}) {
        for (const [name, value] of Object.entries({ width, height })) {
          if (!Number.isInteger(value) || value < 1 || value > 2048)
            throw new RangeError(`${name} must be a whole number from 1 to 2048`)
        }
        const pixels = paint(prompt, { width, height, steps: ctx.config.steps })
        return { bytes: png(pixels, width, height), mimeType: 'image/png', width, height }
      },
    }
    ctx.provide(ImageGeneration, api)
    return api
  },
})
