import { activations } from './builtin/activations.js'
import { basic } from './builtin/basic.js'
import { compositions } from './builtin/compositions.js'
import { convolutions } from './builtin/convolutions.js'
import { normalizations } from './builtin/normalizations.js'
import { pooling } from './builtin/pooling.js'
import { sequences } from './builtin/sequences.js'
import { shapes } from './builtin/shapes.js'
import { transformers } from './builtin/transformers.js'
import { LayerRegistry, type LayerRegistryOptions } from './layer-registry.js'

/** Every layer of this package that turns one tensor into one, by the name it has in configurations. */
const groups = [basic, activations, normalizations, convolutions, pooling, shapes, sequences, transformers, compositions]

/** A new registry with every layer of this package. */
export function builtinLayers(options: LayerRegistryOptions = {}): LayerRegistry {
  const registry = new LayerRegistry(options)
  for (const type of groups.flat()) registry.add(type)
  return registry
}
