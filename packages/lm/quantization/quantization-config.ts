import { LmError } from '../errors.js'
import { ConfigFields, isObject } from '../formats/config-fields.js'
import { type Quantization, quantizationOf } from './quantization.js'

/** Who reads these weights: `quant_method` in `config.json`, where other programs look before they load. */
const METHOD = 'enigma'
const NAMES = { 4: 'int4', 8: 'int8' } as const

/** What `config.json` says of rounded weights under `quantization_config`. */
export function quantizationToConfig({ bits, embeddingBits, groupSize }: Quantization): Record<string, unknown> {
  return { quant_method: METHOD, bits, group_size: groupSize, embedding_bits: embeddingBits, sym: true }
}

/**
 * Reads `quantization_config` of a parsed `config.json`; null where the weights are numbers.
 * @param source how messages name the file
 * @throws LmError UNSUPPORTED_MODEL for what other programs made; INVALID_CONFIG
 */
export function quantizationFromConfig(value: unknown, source: string): Quantization | null {
  if (!isObject(value)) return null
  const outer = new ConfigFields(value, source)
  const fields = outer.object('quantization_config')
  if (!fields) return null
  if (fields.value.quant_method !== METHOD)
    throw fields.unsupported('quant_method', 'this reads weights that it quantized itself: enigma models quantize')
  const bits = fields.number('bits')
  if (bits !== 4 && bits !== 8) throw fields.unsupported('bits', 'weights have 4 or 8')
  if (fields.number('embedding_bits', 8) !== 8) throw fields.unsupported('embedding_bits', 'it is 8')
  if (!fields.flag('sym', true)) throw fields.unsupported('sym', 'weights are symmetric around zero')
  try {
    return quantizationOf(NAMES[bits], fields.number('group_size'))
  } catch (error) {
    if (!(error instanceof LmError) || error.code !== 'INVALID_OPTION') throw error
    throw fields.unsupported('group_size', error.message)
  }
}
