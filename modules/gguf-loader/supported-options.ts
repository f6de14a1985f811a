import type { GenerateOptions } from '@enigma/contracts'
import { EngineError } from '@enigma/engines'
import { checkGeneration, resolveSampling, schemaOf } from '@enigma/lm'
import { llamaSchema } from './llama-schema.js'

type Options = Omit<GenerateOptions, 'signal'>

/** Options that llama.cpp is not asked for here, and the value that changes nothing. */
const missing: readonly (readonly [option: keyof Options, neutral: unknown])[] = [
  ['typicalP', 1],
  ['logprobs', false],
  ['topLogprobs', undefined],
]

/**
 * Nothing is silently left out.
 * @throws EngineError UNSUPPORTED naming the option; LmError INVALID_OPTION as the module `inference`
 */
export function checkOptions(options: Options): void {
  checkGeneration(options)
  resolveSampling(options)
  for (const [option, neutral] of missing) {
    if (options[option] === undefined || options[option] === neutral) continue
    throw new EngineError('UNSUPPORTED', `The option '${option}' cannot be honoured by the module 'gguf-loader'. Leave it out.`)
  }
  const schema = schemaOf(options.responseFormat)
  if (schema !== undefined) llamaSchema(schema)
}
