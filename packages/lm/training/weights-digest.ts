import { createHash } from 'node:crypto'
import type { LanguageModel } from '../language-model.js'
import { parameterSpecs } from '../parameters.js'

/** SHA-256 of a model's weights in their order: whether a run that builds on them still finds the same. */
export function weightsDigest({ config, weights }: LanguageModel): string {
  const hash = createHash('sha256')
  for (const { name } of parameterSpecs(config)) {
    const tensor = weights[name]
    if (tensor) hash.update(new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength))
  }
  return hash.digest('hex')
}
