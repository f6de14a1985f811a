import { NnError } from '../errors.js'
import { Layer } from '../layer.js'
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
  /**
   * The layer that makes the network's output, itself or its name in the network, for AdamW; null: there is none, as where the
   * output is made with the embedding's table. Default: layers called `head`, `lm_head`, `classifier` or `embed_out`; without one,
   * the last layer that has a matrix.
   */
  readonly head?: Layer | string | null
}

/**
 * The groups that Muon is meant for: matrices of hidden layers to Muon; embeddings, the head, biases and norm weights to AdamW.
 * A group without parameters is left out. @throws NnError INVALID_ARGUMENT for a head that is not in the network
 */
export function muonWithAdamW(net: Layer, options: MuonWithAdamWOptions = {}): ParameterGroup[] {
  optionsOf('muonWithAdamW', options, 'muon: { lr: 1e-3 }')
  const embeddings = [...net.namedLayers()].map(([, layer]) => layer).filter((layer) => layer instanceof Embedding)
  const outer = new Set([...embeddings, ...headsOf(net, options.head)].flatMap((layer) => layer.parameters()))
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

/** What heads are called, in PyTorch's and Hugging Face's models too. */
const headNames: readonly string[] = ['head', 'lm_head', 'classifier', 'embed_out']

function headsOf(net: Layer, head: MuonWithAdamWOptions['head']): readonly Layer[] {
  if (head === null) return []
  const layers = [...net.namedLayers()]
  if (head === undefined) {
    const named = layers.filter(([name]) => headNames.includes(name.split('.').at(-1)!)).map(([, layer]) => layer)
    const last = layers.filter(([, layer]) => own(layer).some(isMatrix)).at(-1)
    return named.some((layer) => layer.parameters().some(isMatrix)) ? named : last ? [last[1]] : []
  }
  const found = layers.find(([name, layer]) => name === head || layer === head)
  if (found) return [found[1]]
  throw new NnError(
    'INVALID_ARGUMENT',
    `muonWithAdamW: the head ${head instanceof Layer ? head.constructor.name : `'${head}'`} is no layer of this network. It has: ${layers
      .map(([name]) => name)
      .filter(Boolean)
      .join(', ')}.`,
  )
}

const isMatrix = ({ shape }: Parameter) => shape.length >= 2
const own = (layer: Layer): Parameter[] =>
  [...layer.members()].flatMap(([, member]) => (member instanceof Parameter ? [member] : []))
