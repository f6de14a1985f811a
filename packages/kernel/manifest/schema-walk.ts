import type { ErrorObject } from 'ajv'
import type { JsonSchema } from './manifest.js'

// Checks values against a JSON Schema of our own without Ajv: compiling the manifest schema with Ajv takes tens of
// milliseconds, longer than registering a thousand modules. A schema becomes a tree of closures; errors have Ajv's
// shape (`allErrors`, `verbose`, `strictNumbers`), and a test compares the two. Schemas that modules bring go to Ajv.

interface Check {
  /** Whether a value is valid: asked first, as most are, and nothing is put into words for it. */
  holds(value: unknown): boolean
  /** Appends what is wrong with a value; `path` is its JSON pointer. */
  explain(value: unknown, path: string, errors: ErrorObject[]): void
}

type Keyword = (given: unknown, schema: JsonSchema) => Check

/** Every problem of a value, none when it is valid. */
export type SchemaCheck = (value: unknown) => ErrorObject[]

/** @throws TypeError when the schema has a keyword that is not in the table */
export function compileSchema(schema: JsonSchema): SchemaCheck {
  const check = compile(schema)
  return (value) => {
    if (check.holds(value)) return valid
    const errors: ErrorObject[] = []
    check.explain(value, '', errors)
    return errors
  }
}

const valid: ErrorObject[] = []

function compile(schema: JsonSchema): Check {
  for (const key of Object.keys(schema)) if (!known.has(key)) throw new TypeError(`schema-walk has no keyword '${key}'`)
  const checks = [...keywords].filter(([key]) => key in schema).map(([key, keyword]) => keyword(schema[key], schema))
  if (checks.length === 1) return checks[0]!
  return {
    holds: (value) => {
      for (let i = 0; i < checks.length; i++) if (!checks[i]!.holds(value)) return false
      return true
    },
    explain: (value, path, errors) => {
      for (const check of checks) check.explain(value, path, errors)
    },
  }
}

/** One keyword whose violation is one error; `broken` answers the error's params. */
function simple(
  keyword: string,
  message: (given: never) => string,
  broken: (value: unknown, given: never) => Record<string, unknown> | undefined,
): [string, Keyword] {
  const make: Keyword = (given, schema) => ({
    holds: (value) => broken(value, given as never) === undefined,
    explain(value, path, errors) {
      const params = broken(value, given as never)
      if (params) errors.push(failure(keyword, path, params, message(given as never), given, schema, value))
    },
  })
  return [keyword, make]
}

function limit(keyword: string, text: string, comparison: string, broken: (value: unknown, bound: number) => boolean) {
  const params = (bound: number) => (comparison === '' ? { limit: bound } : { comparison, limit: bound })
  return simple(
    keyword,
    (bound: number) => text.replace('#', String(bound)),
    (value, bound: number) => (broken(value, bound) ? params(bound) : undefined),
  )
}

const types: Readonly<Record<string, (value: unknown) => boolean>> = {
  object: isObject,
  array: Array.isArray,
  string: (value) => typeof value === 'string',
  boolean: (value) => typeof value === 'boolean',
  number: Number.isFinite,
  integer: Number.isInteger,
}

const keywords: ReadonlyMap<string, Keyword> = new Map<string, Keyword>([
  simple(
    'type',
    (type: string) => `must be ${type}`,
    (value, type: string) => (types[type]!(value) ? undefined : { type }),
  ),
  limit('maximum', 'must be <= #', '<=', (value, bound) => typeof value === 'number' && value > bound),
  limit('minimum', 'must be >= #', '>=', (value, bound) => typeof value === 'number' && value < bound),
  limit(
    'maxLength',
    'must NOT have more than # characters',
    '',
    (value, bound) => typeof value === 'string' && value.length > bound && characters(value) > bound,
  ),
  limit(
    'minLength',
    'must NOT have fewer than # characters',
    '',
    (value, bound) => typeof value === 'string' && value.length < 2 * bound && characters(value) < bound,
  ),
  ['pattern', pattern],
  simple(
    'const',
    () => 'must be equal to constant',
    (value, allowedValue: unknown) => (value === allowedValue ? undefined : { allowedValue }),
  ),
  simple(
    'enum',
    () => 'must be equal to one of the allowed values',
    (value, allowedValues: readonly unknown[]) => (allowedValues.includes(value) ? undefined : { allowedValues }),
  ),
  ['anyOf', anyOf],
  ['if', ifElse],
  limit('maxItems', 'must NOT have more than # items', '', (value, bound) => Array.isArray(value) && value.length > bound),
  limit('minItems', 'must NOT have fewer than # items', '', (value, bound) => Array.isArray(value) && value.length < bound),
  ['items', items],
  ['required', required],
  ['additionalProperties', additionalProperties],
  ['properties', properties],
  ['patternProperties', patternProperties],
])

const known: ReadonlySet<string> = new Set([...keywords.keys(), 'else'])

function pattern(source: unknown, schema: JsonSchema): Check {
  const expression = new RegExp(source as string, 'u')
  const holds = (value: unknown) => typeof value !== 'string' || expression.test(value)
  return {
    holds,
    explain(value, path, errors) {
      if (holds(value)) return
      errors.push(failure('pattern', path, { pattern: source }, `must match pattern "${String(source)}"`, source, schema, value))
    },
  }
}

function anyOf(branches: unknown, schema: JsonSchema): Check {
  const checks = (branches as readonly JsonSchema[]).map(compile)
  const holds = (value: unknown) => checks.some((check) => check.holds(value))
  return {
    holds,
    explain(value, path, errors) {
      if (holds(value)) return
      for (const check of checks) check.explain(value, path, errors)
      errors.push(failure('anyOf', path, {}, 'must match a schema in anyOf', branches, schema, value))
    },
  }
}

function ifElse(condition: unknown, schema: JsonSchema): Check {
  const first = compile(condition as JsonSchema)
  const otherwise = compile(schema.else as JsonSchema)
  const holds = (value: unknown) => first.holds(value) || otherwise.holds(value)
  return {
    holds,
    explain(value, path, errors) {
      if (holds(value)) return
      otherwise.explain(value, path, errors)
      errors.push(failure('if', path, { failingKeyword: 'else' }, 'must match "else" schema', condition, schema, value))
    },
  }
}

function items(item: unknown): Check {
  const check = compile(item as JsonSchema)
  return {
    holds(value) {
      if (!Array.isArray(value)) return true
      for (let i = 0; i < value.length; i++) if (!check.holds(value[i])) return false
      return true
    },
    explain(value, path, errors) {
      if (!Array.isArray(value)) return
      for (let i = 0; i < value.length; i++) check.explain(value[i], `${path}/${i}`, errors)
    },
  }
}

function required(names: unknown, schema: JsonSchema): Check {
  return {
    holds: (value) => !isObject(value) || (names as readonly string[]).every((name) => value[name] !== undefined),
    explain(value, path, errors) {
      if (!isObject(value)) return
      for (const missingProperty of names as readonly string[]) {
        if (value[missingProperty] !== undefined) continue
        const message = `must have required property '${missingProperty}'`
        errors.push(failure('required', path, { missingProperty }, message, names, schema, value))
      }
    },
  }
}

/** Only `false` is known: everything that is neither named nor of a named pattern is an error. */
function additionalProperties(given: unknown, schema: JsonSchema): Check {
  if (given !== false) throw new TypeError('schema-walk knows additionalProperties: false only')
  const names = new Set(Object.keys((schema.properties as object | undefined) ?? {}))
  const patterns = Object.keys((schema.patternProperties as object | undefined) ?? {}).map((source) => new RegExp(source, 'u'))
  const isKnown = (name: string) => names.has(name) || patterns.some((expression) => expression.test(name))
  return {
    holds(value) {
      if (isObject(value)) for (const name in value) if (!isKnown(name)) return false
      return true
    },
    explain(value, path, errors) {
      if (!isObject(value)) return
      for (const additionalProperty in value) {
        if (isKnown(additionalProperty)) continue
        const message = 'must NOT have additional properties'
        errors.push(failure('additionalProperties', path, { additionalProperty }, message, given, schema, value))
      }
    },
  }
}

/** Errors come in the order of the value's keys, which is that of the file. */
function properties(given: unknown): Check {
  const checks = new Map(Object.entries(given as Record<string, JsonSchema>).map(([name, schema]) => [name, compile(schema)]))
  return {
    holds(value) {
      if (!isObject(value)) return true
      for (const name in value) if (value[name] !== undefined && checks.get(name)?.holds(value[name]) === false) return false
      return true
    },
    explain(value, path, errors) {
      if (!isObject(value)) return
      for (const name in value) if (value[name] !== undefined) checks.get(name)?.explain(value[name], `${path}/${name}`, errors)
    },
  }
}

function patternProperties(given: unknown): Check {
  // An empty schema takes everything.
  const checks = Object.entries(given as Record<string, JsonSchema>)
    .filter(([, schema]) => Object.keys(schema).length > 0)
    .map(([source, schema]) => ({ expression: new RegExp(source, 'u'), check: compile(schema) }))
  return {
    holds: (value) =>
      checks.length === 0 ||
      !isObject(value) ||
      checks.every(({ expression, check }) =>
        Object.keys(value).every((name) => !expression.test(name) || check.holds(value[name])),
      ),
    explain(value, path, errors) {
      if (!isObject(value)) return
      for (const { expression, check } of checks) {
        for (const name in value) if (expression.test(name)) check.explain(value[name], `${path}/${pointer(name)}`, errors)
      }
    },
  }
}

function failure(
  keyword: string,
  instancePath: string,
  params: Record<string, unknown>,
  message: string,
  schema: unknown,
  parentSchema: JsonSchema,
  data: unknown,
): ErrorObject {
  return { keyword, instancePath, schemaPath: `#/${keyword}`, params, message, schema, parentSchema, data }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Code points, as JSON Schema counts. */
function characters(text: string): number {
  let count = 0
  for (const _ of text) count++
  return count
}

function pointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}
