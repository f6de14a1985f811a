import { NnError } from '../errors.js'
import type { ConfigValue, LayerConfig, StageConfig } from './layer-config.js'
import type { LayerMetadata } from './layer-metadata.js'

interface Types {
  getMetadata(type: string): LayerMetadata
}

/**
 * A stage as it may be written, brought to one form: `'relu'`; `{ type: 'linear', outFeatures: 10 }`;
 * `{ linear: { outFeatures: 10 } }`; and for a type with one list of layers `{ residual: [ … ] }`.
 * @param place where it stands, for messages
 * @throws NnError BAD_CONFIG, LAYER_TYPE_UNKNOWN
 */
export function readStage(
  stage: StageConfig,
  types: Types,
  place: string,
): { readonly type: string; readonly config: LayerConfig } {
  if (typeof stage === 'string') return { type: types.getMetadata(stage).type, config: {} }
  const entries = typeof stage === 'object' && stage !== null ? Object.entries(stage) : []
  if (typeof stage?.type === 'string') {
    const { type, ...config } = stage
    return { type: types.getMetadata(type).type, config }
  }
  const [entry, ...more] = entries
  if (!entry || more.length > 0)
    throw new NnError(
      'BAD_CONFIG',
      `Stage ${place} is ${JSON.stringify(stage)}. Write a name ('relu'), { type: 'linear', … } or { linear: { … } }.`,
    )
  const [name, value] = entry
  const metadata = types.getMetadata(name)
  return { type: metadata.type, config: toConfig(metadata, value, place) }
}

function toConfig({ type, parameters = {} }: LayerMetadata, value: ConfigValue, place: string): LayerConfig {
  if (value === null) return {}
  if (Array.isArray(value)) {
    const lists = Object.entries(parameters).filter(
      ([, parameter]) => parameter.type === 'stages' || parameter.type === 'branches',
    )
    if (lists.length === 1) return { [lists[0]![0]]: value }
  } else if (typeof value === 'object') return value as LayerConfig
  throw new NnError('BAD_CONFIG', `Stage ${place}: '${type}' takes its parameters by name, got ${JSON.stringify(value)}.`)
}
