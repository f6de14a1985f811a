import { TensorError } from '@enigma/tensor'
import { NnError } from './errors.js'
import type { Layer } from './layer.js'
import { Parameter } from './parameter.js'

/** The name and parameters of a layer: `Linear(weight [10, 64], bias [10])`. */
function describe(layer: Layer): string {
  const parameters = [...layer.members()].flatMap(([name, member]) =>
    member instanceof Parameter ? [`${name} [${member.shape.join(', ')}]`] : [],
  )
  return `${layer.constructor.name}(${parameters.join(', ')})`
}

type Located = TensorError | NnError

/** The first error, and the layer in which it came up, of those that were made of it on the way out. */
const origins = Symbol('origin')
interface Origin {
  readonly error: Located
  readonly layer: Layer
}

/**
 * An error that left `outer.forward`, naming the innermost layer by its path in `outer`. Each layer on the way out calls this, so
 * that the path is in the end that of the whole network.
 */
export function errorInLayer(outer: Layer, error: unknown): unknown {
  if (!(error instanceof TensorError || error instanceof NnError)) return error
  const origin = (error as { readonly [origins]?: Origin })[origins] ?? { error, layer: outer }
  const path = [...outer.namedLayers()].find(([, candidate]) => candidate === origin.layer)?.[0]
  // A layer that is made in passing has no path.
  if (path === undefined) return error
  const place = path === '' ? describe(origin.layer) : `layer '${path}' (${describe(origin.layer)})`
  return Object.defineProperty(inPlace(origin.error, place), origins, { value: origin })
}

function inPlace(error: Located, place: string): Located {
  const message = `${error.message}, in ${place}`
  return error instanceof NnError
    ? new NnError(error.code, message, { cause: error })
    : new TensorError(error.code, message, { cause: error })
}
