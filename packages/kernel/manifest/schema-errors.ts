import type { ErrorObject } from 'ajv'
import { didYouMean } from '../names.js'
import { type Problem, problem } from './problem.js'

// JSON Schema errors as sentences that name the key, what is allowed, and the likely fix.

/** A thing with more problems than this is not what it should be; the rest would only repeat it. */
const most = 20
const longest = 80

/**
 * Says what is wrong. `errors` must come from Ajv with `verbose: true` (the schema and the data are quoted).
 * Errors that only repeat another one (`if`, `anyOf` branches) are dropped. Values of keys that are `secret` are never quoted.
 */
export function sentences(errors: readonly ErrorObject[], secret: (topKey: string) => boolean = () => false): Problem[] {
  const real = errors.filter((error) => error.keyword !== 'if')
  const problems = real.slice(0, most).map((error) => sentence(error, secret))
  if (real.length > most) problems.push(problem([], `and ${real.length - most} more`))
  return problems
}

function sentence(error: ErrorObject, secret: (topKey: string) => boolean): Problem {
  const path = error.instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  const key = path.join('.')
  const it = key === '' ? 'it' : `'${key}'`
  const params: Record<string, unknown> = error.params
  const isSecret = path.length > 0 && secret(path[0]!)
  const got = isSecret ? '(its value is secret)' : `(got ${quoted(error.data)})`
  switch (error.keyword) {
    case 'additionalProperties': {
      const name = String(params.additionalProperty)
      const known = Object.keys((error.parentSchema?.properties as object | undefined) ?? {})
      const hint = didYouMean(name, known) || (known.length > 0 ? `; known keys: ${known.join(', ')}` : '; it takes no keys')
      return problem([...path, name], `unknown key '${shortened([...path, name].join('.'))}'${hint}`)
    }
    case 'required': {
      const inner = [...path, String(params.missingProperty)]
      return problem(inner, `missing key '${inner.join('.')}'; add it`)
    }
    case 'enum': {
      const allowed = params.allowedValues as unknown[]
      const words = allowed.filter((value) => typeof value === 'string')
      const hint = typeof error.data === 'string' && !isSecret ? didYouMean(error.data, words) : ''
      return problem(path, `${it} must be one of ${allowed.join(', ')} ${got}${hint}`)
    }
    case 'const':
      return problem(path, `${it} must be ${JSON.stringify(params.allowedValue)} ${got}`)
    case 'type':
      return problem(path, `${it} must be ${article(String(params.type))}${range(error)} ${got}`)
    case 'minimum':
    case 'maximum':
    case 'exclusiveMinimum':
    case 'exclusiveMaximum':
      return problem(path, `${it} must be${range(error)} ${got}`)
    case 'pattern':
      return problem(path, `${it} must look like ${String(params.pattern)} ${got}`)
    default:
      return problem(path, `${it} ${error.message ?? 'is not valid'} ${got}`)
  }
}

/** A whole object is named by its keys only: its values may be long, or secret. */
function quoted(data: unknown): string {
  if (Array.isArray(data)) return `a list of ${data.length}`
  if (typeof data === 'object' && data !== null) return `an object with ${shortened(Object.keys(data).join(', ')) || 'no keys'}`
  return shortened(JSON.stringify(data) ?? String(data))
}

function shortened(text: string): string {
  return text.length > longest ? `${text.slice(0, longest)}…` : text
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
