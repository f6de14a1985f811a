import * as layers from '../../layers/index.js'
import { type LayerType, layerType } from '../layer-registry.js'

/** One without settings. */
const plain = (type: string, displayName: string, description: string, Activation: new () => layers.ReLU) =>
  layerType({ type, displayName, description, category: 'Activation', parameters: {} }, () => new Activation())

export const activations: readonly LayerType[] = [
  plain('relu', 'ReLU', 'max(x, 0)', layers.ReLU),
  plain('silu', 'SiLU', 'x · sigmoid(x)', layers.SiLU),
  plain('tanh', 'Tanh', 'hyperbolic tangent', layers.Tanh),
  plain('sigmoid', 'Sigmoid', '1 / (1 + e^-x)', layers.Sigmoid),
]
