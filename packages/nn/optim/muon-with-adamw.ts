import type { Layer } from '../layer.js'
import { Embedding } from '../layers/embedding.js'
import { optionsOf } from '../options.js'
import { Parameter } from '../parameter.js'
import { type AdamWOptions, adamw } from './adam.js'
import { type MuonOptions, muon } from './muon.js'
import type { ParameterGroup } from './optimizer.js'

export interface MuonWithAdamWOptions {
  /** Default: Muon's defaults, with the learning rate adjusted so that AdamW's fits both (`match_rms_adamw`). */
  readonly muon?: MuonOptions
  readonly adamw?: AdamWOptions
  /** The layer that makes the network's output, for AdamW. Default: the last one that has a matrix. */
  readonly head?: Layer
}

/**
 * The groups that Muon is meant for: matrices of hidden layers to Muon; embeddings, the head, biases and norm weights to AdamW.
 * A group without parameters is left out.
 */
export function muonWithAdamW(net: Layer, options: MuonWithAdamWOptions = {}): ParameterGroup[] {
  const layers = [...net.namedLayers()].map(([, layer]) => layer)
  optionsOf('muonWithAdamW', options, 'muon: { lr: 1e-3 }')
  const head = options.head ?? layers.filter((layer) => own(layer).some(isMatrix)).at(-1)
  const outer = new Set(layers.filter((layer) => layer === head || layer instanceof Embedding).flatMap(own))
  const hidden = (parameter: Parameter) => isMatrix(parameter) && !outer.has(parameter)
  const parameters = net.parameters()
  return [
    {
      parameters: parameters.filter(hidden),
      optimizer: muon({ adjustLrFn: 'match_rms_adamw', ...options.muon }),
    },
    { parameters: parameters.filter((parameter) => !hidden(parameter)), optimizer: adamw(options.adamw) },
  ].filter((group) => group.parameters.length > 0)
}

const isMatrix = ({ shape }: Parameter) => shape.length >= 2
const own = (layer: Layer): Parameter[] =>
  [...layer.members()].flatMap(([, member]) => (member instanceof Parameter ? [member] : []))
