import type { StateDict } from '@enigma/nn'
import { optimize, toOnnx } from '@enigma/tensor'
import type { ModelConfig } from '../config.js'
import { decodingProgram } from '../generation/decoder.js'
import { configToHuggingFace } from '../huggingface-config.js'

const doc = `One step of a language model with its key/value cache. tokens [batch, length] continue texts of which "total" - length tokens are
in the cache; last [batch] = total - 1; position [1] = which of the new tokens' logits are wanted. keys.N and values.N are the cache,
[batch, key/value heads, context, head dim], zero at first; new.keys.N and new.values.N are what to feed next.`

/**
 * A model as ONNX Runtime executes it here: one decoding step, with that runtime's fused operators. What it was is in the metadata under
 * `enigma.config` (the fields of config.json).
 * @throws LmError UNSUPPORTED_MODEL when the weights exceed 2 GiB or a head's size is no multiple of 16; TENSOR_MISSING
 */
export function onnxBytes(config: ModelConfig, weights: StateDict): Uint8Array {
  const metadata = { 'enigma.config': JSON.stringify(configToHuggingFace(config)) }
  return toOnnx(optimize(decodingProgram(config, weights)), { target: 'onnxruntime', doc, metadata })
}
