import { NnError } from './errors.js'

/**
 * The options of a layer or an optimizer. In JavaScript a value in their place, where PyTorch takes one, would otherwise be
 * passed over in silence. @param example one of them, as people write it: `bias: false`
 * @throws NnError INVALID_ARGUMENT for what is no object of options
 */
export function optionsOf<O extends object>(what: string, options: O, example: string): O {
  const given: unknown = options
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) return options
  const shown = Array.isArray(given) ? 'an array' : typeof given === 'function' ? 'a function' : JSON.stringify(given)
  throw new NnError('INVALID_ARGUMENT', `${what} takes options by name, such as { ${example} }; got ${shown} in their place.`)
}
