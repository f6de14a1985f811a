import type { ErrorObject } from 'ajv'
import type { JsonSchema } from './manifest.js'

// Checks values against a JSON Schema of our own without Ajv: compiling the manifest schema with Ajv takes tens of
// milliseconds, longer than registering a thousand modules. A schema becomes a tree of closures; errors have Ajv's
// shape (`allErrors`, `verbose`, `strictNumbers`), and a test compares the two. Schemas that modules bring go to Ajv.

interface Check {
  /** Whether a value is valid: asked first, as most are, and nothing is put into words for it. */
  readonly holds: (value: unknown) => boolean
  readonly explain: Explain
}

/** Appends what is wrong with a value; `path` is its JSON pointer. */
type Explain = (value: unknown, path: string, errors: ErrorObject[]) => void

type Keyword = (given: unknown, schema: JsonSchema) => Explain

/** Every problem of a value, none when it is valid. */
export type SchemaCheck = (value: unknown) => ErrorObject[]

/** @throws TypeError when the schema has a keyword that is not in the table */
export function compileSchema(schema: JsonSchema): SchemaCheck {
  refuseUnknown(schema)
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
  const holds = quick(schema)
  // Most schemas never have an error to put into words.
  let parts = holds ? undefined : partsOf(schema)
  const explain: Explain = (value, path, errors) => {
    parts ??= partsOf(schema)
    for (const part of parts) part(value, path, errors)
  }
  return { holds: holds ?? silent(explain), explain }
}

// Beforehand, as most of a schema is compiled late.
function refuseUnknown(schema: JsonSchema): void {
  for (const key in schema) {
    if (!known.has(key)) throw new TypeError(`schema-walk has no keyword '${key}'`)
    const given = schema[key] as JsonSchema
    if (nesting[key] === 'one') refuseUnknown(given)
    else if (nesting[key] === 'many') for (const name in given) refuseUnknown(given[name] as JsonSchema)
  }
}

/** Keywords with schemas in them. */
const nesting: Readonly<Record<string, 'one' | 'many'>> = {
  items: 'one',
  if: 'one',
  else: 'one',
  anyOf: 'many',
  properties: 'many',
  patternProperties: 'many',
}

function partsOf(schema: JsonSchema): Explain[] {
  return [...keywords].filter(([key]) => key in schema).map(([key, keyword]) => keyword(schema[key], schema))
}

/** Valid is what nothing is wrong with. */
function silent(explain: Explain): Check['holds'] {
  return (value) => {
    const errors: ErrorObject[] = []
    explain(value, '', errors)
    return errors.length === 0
  }
}

// Manifests are objects, lists and texts nearly throughout: for these one function asks what several keywords say.
const quicks: Readonly<Record<string, { keys: readonly string[]; make: (schema: JsonSchema) => Check['holds'] }>> = {
  object: { keys: ['additionalProperties', 'required', 'properties', 'patternProperties'], make: quickObject },
  array: { keys: ['maxItems', 'minItems', 'items'], make: quickArray },
  string: { keys: ['maxLength', 'minLength', 'pattern'], make: quickString },
}

function quick(schema: JsonSchema): Check['holds'] | undefined {
  if ('if' in schema && Object.keys(schema).length === 2) return either(schema)
  const found = quicks[schema.type as string]
  const covered = Object.keys(schema).every((key) => key === 'type' || found?.keys.includes(key))
  // Patterns of names that ask nothing of their values only say which names there may be.
  const patterns = Object.values((schema.patternProperties as object | undefined) ?? {}) as object[]
  return found && covered && patterns.every((asked) => Object.keys(asked).length === 0) ? found.make(schema) : undefined
}

function either(schema: JsonSchema): Check['holds'] {
  const first = compile(schema.if as JsonSchema)
  const otherwise = compile(schema.else as JsonSchema)
  return (value) => first.holds(value) || otherwise.holds(value)
}

function quickObject(schema: JsonSchema): Check['holds'] {
  const names = (schema.required as readonly string[] | undefined) ?? []
  const checks = checksOf(schema.properties)
  const isKnown = 'additionalProperties' in schema ? knownNames(schema) : () => true
  return (value) => {
    if (!isObject(value)) return false
    for (const name in value) {
      const check = checks.get(name)
      if (check === undefined ? !isKnown(name) : !check.holds(value[name]) && value[name] !== undefined) return false
    }
    return names.every((name) => value[name] !== undefined)
  }
}

function quickArray({ items, maxItems = Number.POSITIVE_INFINITY, minItems = 0 }: JsonSchema): Check['holds'] {
  const item = (items as JsonSchema | undefined) ?? {}
  const { holds } = compile(item)
  // Lists are of short texts nearly always: these are not asked about one by one.
  const [least, most] = plainLengths(item)
  return (value) => {
    if (!Array.isArray(value) || value.length > (maxItems as number) || value.length < (minItems as number)) return false
    for (let i = 0; i < value.length; i++) {
      const one: unknown = value[i]
      if ((typeof one !== 'string' || one.length > most || one.length < least) && !holds(one)) return false
    }
    return true
  }
}

/** Lengths in UTF-16 units between which every text is valid; none where a schema asks for more than a length. */
function plainLengths({ if: condition, ...schema }: JsonSchema): readonly [least: number, most: number] {
  const asked = (condition as JsonSchema | undefined) ?? schema
  const { type, minLength = 0, maxLength = Number.POSITIVE_INFINITY, ...more } = asked
  if (type !== 'string' || Object.keys(more).length > 0) return [1, 0]
  return [2 * (minLength as number), maxLength as number]
}

function quickString({ maxLength, minLength = 0, pattern: source }: JsonSchema): Check['holds'] {
  const most = (maxLength as number | undefined) ?? Number.POSITIVE_INFINITY
  const least = minLength as number
  const expression = source === undefined ? undefined : new RegExp(source as string, 'u')
  return (value) =>
    typeof value === 'string' &&
    (value.length <= most || characters(value) <= most) &&
    (value.length >= 2 * least || characters(value) >= least) &&
    (expression === undefined || expression.test(value))
}

/** One keyword whose violation is one error; `broken` answers the error's params. */
function simple(
  keyword: string,
  message: (given: never) => string,
  broken: (value: unknown, given: never) => Record<string, unknown> | undefined,
): [string, Keyword] {
  const make: Keyword = (given, schema) => (value, path, errors) => {
    const params = broken(value, given as never)
    if (params) errors.push(failure(keyword, path, params, message(given as never), given, schema, value))
  }
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

function pattern(source: unknown, schema: JsonSchema): Explain {
  const expression = new RegExp(source as string, 'u')
  return (value, path, errors) => {
    if (typeof value !== 'string' || expression.test(value)) return
    errors.push(failure('pattern', path, { pattern: source }, `must match pattern "${String(source)}"`, source, schema, value))
  }
}

function anyOf(branches: unknown, schema: JsonSchema): Explain {
  const checks = (branches as readonly JsonSchema[]).map(compile)
  return (value, path, errors) => {
    if (checks.some((check) => check.holds(value))) return
    for (const check of checks) check.explain(value, path, errors)
    errors.push(failure('anyOf', path, {}, 'must match a schema in anyOf', branches, schema, value))
  }
}

function ifElse(condition: unknown, schema: JsonSchema): Explain {
  const holds = either(schema)
  const otherwise = compile(schema.else as JsonSchema)
  return (value, path, errors) => {
    if (holds(value)) return
    otherwise.explain(value, path, errors)
    errors.push(failure('if', path, { failingKeyword: 'else' }, 'must match "else" schema', condition, schema, value))
  }
}

function items(item: unknown): Explain {
  const check = compile(item as JsonSchema)
  return (value, path, errors) => {
    if (!Array.isArray(value)) return
    for (let i = 0; i < value.length; i++) check.explain(value[i], `${path}/${i}`, errors)
  }
}

function required(names: unknown, schema: JsonSchema): Explain {
  return (value, path, errors) => {
    if (!isObject(value)) return
    for (const missingProperty of names as readonly string[]) {
      if (value[missingProperty] !== undefined) continue
      const message = `must have required property '${missingProperty}'`
      errors.push(failure('required', path, { missingProperty }, message, names, schema, value))
    }
  }
}

/** Only `false` is known: everything that is neither named nor of a named pattern is an error. */
function additionalProperties(given: unknown, schema: JsonSchema): Explain {
  const isKnown = knownNames(schema)
  return (value, path, errors) => {
    if (!isObject(value)) return
    for (const additionalProperty in value) {
      if (isKnown(additionalProperty)) continue
      const message = 'must NOT have additional properties'
      errors.push(failure('additionalProperties', path, { additionalProperty }, message, given, schema, value))
    }
  }
}

function knownNames(schema: JsonSchema): (name: string) => boolean {
  if (schema.additionalProperties !== false) throw new TypeError('schema-walk knows additionalProperties: false only')
  const names = new Set(Object.keys((schema.properties as object | undefined) ?? {}))
  const patterns = Object.keys((schema.patternProperties as object | undefined) ?? {}).map((source) => new RegExp(source, 'u'))
  return (name) => names.has(name) || patterns.some((expression) => expression.test(name))
}

/** Errors come in the order of the value's keys, which is that of the file. */
function properties(given: unknown): Explain {
  const checks = checksOf(given)
  return (value, path, errors) => {
    if (!isObject(value)) return
    for (const name in value) if (value[name] !== undefined) checks.get(name)?.explain(value[name], `${path}/${name}`, errors)
  }
}

/** The checks of named values, each compiled when the first value of its name comes: most objects leave most names out. */
function checksOf(schemas: unknown): ReadonlyMap<string, Check> {
  const entries = Object.entries((schemas ?? {}) as Record<string, JsonSchema>)
  return new Map(entries.map(([name, schema]) => [name, late(schema)]))
}

function late(schema: JsonSchema): Check {
  const check = {
    holds(value: unknown): boolean {
      Object.assign(check, compile(schema))
      return check.holds(value)
    },
    explain(value: unknown, path: string, errors: ErrorObject[]): void {
      Object.assign(check, compile(schema))
      check.explain(value, path, errors)
    },
  }
  return check
}

function patternProperties(given: unknown): Explain {
  const checks = Object.entries(given as Record<string, JsonSchema>).map(([source, schema]) => ({
    expression: new RegExp(source, 'u'),
    check: compile(schema),
  }))
  return (value, path, errors) => {
    if (!isObject(value)) return
    for (const { expression, check } of checks) {
      for (const name in value) if (expression.test(name)) check.explain(value[name], `${path}/${pointer(name)}`, errors)
    }
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
