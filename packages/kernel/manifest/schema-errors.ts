import type { ErrorObject } from 'ajv'
import { didYouMean } from '../names.js'

// JSON Schema errors as sentences that name the key, what is allowed, and the likely fix.

/** One problem in a validated object. */
export interface Problem {
  /** `config.steps`; empty for the object itself. */
  readonly key: string
  readonly message: string
}

/**
 * Says what is wrong. `errors` must come from Ajv with `verbose: true` (the schema and the data are quoted).
 * Errors that only repeat another one (`if`, `anyOf` branches) are dropped.
 */
export function sentences(errors: readonly ErrorObject[]): Problem[] {
  return errors.filter((error) => error.keyword !== 'if').map(sentence)
}

function sentence(error: ErrorObject): Problem {
  const path = error.instancePath.slice(1).replaceAll('/', '.')
  const inner = (name: string) => (path === '' ? name : `${path}.${name}`)
  const params: Record<string, unknown> = error.params
  const got = `(got ${JSON.stringify(error.data)})`
  switch (error.keyword) {
    case 'additionalProperties': {
      const name = String(params.additionalProperty)
      const known = Object.keys((error.parentSchema?.properties as object | undefined) ?? {})
      const hint = didYouMean(name, known) || (known.length > 0 ? `; known keys: ${known.join(', ')}` : '; it takes no keys')
      return { key: inner(name), message: `unknown key '${inner(name)}'${hint}` }
    }
    case 'required':
      return {
        key: inner(String(params.missingProperty)),
        message: `missing key '${inner(String(params.missingProperty))}'; add it`,
      }
    case 'enum': {
      const allowed = params.allowedValues as unknown[]
      const hint =
        typeof error.data === 'string'
          ? didYouMean(
              error.data,
              allowed.filter((a) => typeof a === 'string'),
            )
          : ''
      return { key: path, message: `'${path}' must be one of ${allowed.join(', ')} ${got}${hint}` }
    }
    case 'const':
      return { key: path, message: `'${path}' must be ${JSON.stringify(params.allowedValue)} ${got}` }
    case 'type':
      return {
        key: path,
        message: `${path === '' ? 'it' : `'${path}'`} must be ${article(String(params.type))}${range(error)} ${got}`,
      }
    case 'minimum':
    case 'maximum':
    case 'exclusiveMinimum':
    case 'exclusiveMaximum':
      return { key: path, message: `'${path}' must be${range(error)} ${got}` }
    case 'pattern':
      return { key: path, message: `'${path}' must look like ${String(params.pattern)} ${got}` }
    default:
      return { key: path, message: `${path === '' ? 'it' : `'${path}'`} ${error.message ?? 'is not valid'} ${got}` }
  }
}

function article(type: string): string {
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`
}

function range(error: ErrorObject): string {
  const schema = (error.parentSchema ?? {}) as Record<string, unknown>
  const low = schema.minimum ?? schema.exclusiveMinimum
  const high = schema.maximum ?? schema.exclusiveMaximum
  const above = schema.minimum === undefined ? 'above' : 'at least'
  const below = schema.maximum === undefined ? 'below' : 'at most'
  if (low !== undefined && high !== undefined) return ` between ${String(low)} and ${String(high)}`
  if (low !== undefined) return ` ${above} ${String(low)}`
  if (high !== undefined) return ` ${below} ${String(high)}`
  return ''
}
