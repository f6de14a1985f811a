import { defineModule, token } from 'enigma'
import { espeak, espeakVersion } from './espeak.js'
import { tones } from './tones.js'

const TextToSpeech = token('text-to-speech', '1.0')

export default defineModule({
  async load(ctx) {
    const { engine } = ctx.config
    const version = engine === 'tones' ? undefined : await espeakVersion()
    if (engine === 'espeak' && version === undefined)
      throw new Error("espeak-ng is not installed. Install it, or set { engine: 'tones' }.")
    const api = {
      engine: version === undefined ? 'tones' : 'espeak',
      /** The bytes of a WAV file. */
      speak: (text) => (version === undefined ? Promise.resolve(tones(text)) : espeak(text, ctx.signal)),
    }
    ctx.provide(TextToSpeech, api)
    return api
  },
})
