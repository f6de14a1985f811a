import { LmError } from '../../errors.js'

/** A JSON schema (draft 2020-12), as parsed. */
export type JsonSchema = boolean | { readonly [keyword: string]: unknown }
export type SchemaObject = Exclude<JsonSchema, boolean>

export type JsonType = 'string' | 'integer' | 'number' | 'boolean' | 'null' | 'array' | 'object'

/** The keywords that restrict values of each type. */
const keywordsOf: Readonly<Record<JsonType, readonly string[]>> = {
  string: ['minLength', 'maxLength', 'pattern', 'format'],
  integer: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'],
  number: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'],
  boolean: [],
  null: [],
  array: ['items', 'prefixItems', 'minItems', 'maxItems'],
  object: ['properties', 'required', 'additionalProperties', 'propertyNames'],
}

const allTypes = Object.keys(keywordsOf) as JsonType[]

/** Keywords that say nothing about which values are valid. */
const annotations = new Set([
  ...[
    'title',
    'description',
    'default',
    'examples',
    'deprecated',
    'readOnly',
    'writeOnly',
    'contentEncoding',
    'contentMediaType',
  ],
  ...['$schema', '$id', '$anchor', '$comment', '$defs', 'definitions'],
])
/** Keywords that concern values of every type. */
const general = new Set(['type', 'enum', 'const', 'anyOf', 'oneOf', 'allOf', '$ref'])
const listKeywords = ['required', 'enum', 'anyOf', 'oneOf', 'allOf', 'prefixItems']
const known = new Set([...general, ...Object.values(keywordsOf).flat()])

/** Extensions of others begin with x-. */
export const isAnnotation = (keyword: string): boolean => annotations.has(keyword) || keyword.startsWith('x-')

/** The keywords of a schema that restrict values. */
export function assertions(schema: SchemaObject): string[] {
  return Object.keys(schema).filter((keyword) => !isAnnotation(keyword))
}

/** @throws LmError SCHEMA_INVALID for what is no schema, SCHEMA_UNSUPPORTED naming the keyword and its place */
export function checkedSchema(value: unknown, path: string): JsonSchema {
  if (typeof value === 'boolean') return value
  if (!isObject(value)) throw invalid(path, `must be an object or a boolean, got ${JSON.stringify(value)}`)
  for (const keyword of listKeywords)
    if (value[keyword] !== undefined && !Array.isArray(value[keyword]))
      throw invalid(path, `${keyword} must be an array, got ${JSON.stringify(value[keyword])}`)
  if (!listOf(value, 'required').every((name) => typeof name === 'string'))
    throw invalid(path, `required must name properties, got ${JSON.stringify(value.required)}`)
  if (value.properties !== undefined && !isObject(value.properties))
    throw invalid(path, `properties must be an object, got ${JSON.stringify(value.properties)}`)
  for (const keyword of Object.keys(value)) {
    const harmless = keyword === 'multipleOf' && value[keyword] === 1 && value.type === 'integer'
    if (!known.has(keyword) && !isAnnotation(keyword) && !harmless && !(keyword === 'uniqueItems' && value[keyword] === false))
      throw unsupported(path, `'${keyword}' cannot be followed in generation; leave it out and check the value afterwards`)
  }
  return value
}

/** The types that a schema names, or those that its keywords speak of, or all. @throws LmError SCHEMA_INVALID */
export function typesOf(schema: SchemaObject, path: string): JsonType[] {
  const { type } = schema
  if (type === undefined) {
    const spoken = allTypes.filter((name) => name !== 'integer' && keywordsOf[name].some((keyword) => keyword in schema))
    return spoken.length > 0 ? spoken : allTypes.filter((name) => name !== 'integer')
  }
  const list: unknown[] = Array.isArray(type) ? type : [type]
  for (const name of list)
    if (!allTypes.includes(name as JsonType))
      throw invalid(path, `type must be one of ${allTypes.join(', ')}, got ${JSON.stringify(name)}`)
  return [...new Set(list as JsonType[])].filter((name) => name !== 'integer' || !list.includes('number'))
}

/** A keyword's value where it is a number, a whole one of zero or more if it counts. @throws LmError SCHEMA_INVALID */
export function numberOf(schema: SchemaObject, keyword: string, path: string): number | undefined {
  const value = schema[keyword]
  if (value === undefined) return undefined
  const counts = /(Length|Items)$/.test(keyword)
  if (typeof value === 'number' && Number.isFinite(value) && (!counts || (Number.isInteger(value) && value >= 0))) return value
  throw invalid(path, `${keyword} must be a ${counts ? 'whole number of zero or more' : 'number'}, got ${JSON.stringify(value)}`)
}

/** A keyword's list; empty where it is not there. */
export function listOf(schema: SchemaObject, keyword: string): readonly unknown[] {
  return (schema[keyword] as readonly unknown[] | undefined) ?? []
}

/** @throws LmError SCHEMA_INVALID */
export function textOf(schema: SchemaObject, keyword: string, path: string): string | undefined {
  const value = schema[keyword]
  if (value === undefined || typeof value === 'string') return value
  throw invalid(path, `${keyword} must be a string, got ${JSON.stringify(value)}`)
}

export function isObject(value: unknown): value is SchemaObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether a value is of a type. */
export function isOfType(value: unknown, type: JsonType): boolean {
  if (type === 'array') return Array.isArray(value)
  if (type === 'null') return value === null
  if (type === 'integer') return Number.isInteger(value)
  return type === 'object' ? isObject(value) : typeof value === type
}

/** What a reference within the schema names: `#`, `#/$defs/x`, any JSON pointer. @throws LmError SCHEMA_UNSUPPORTED, SCHEMA_INVALID */
export function resolveReference(root: JsonSchema, reference: unknown, path: string): unknown {
  if (typeof reference !== 'string' || !/^#(\/|$)/.test(reference))
    throw unsupported(path, `$ref ${JSON.stringify(reference)} leads outside; only references that begin with #/ are followed`)
  const steps = reference
    .slice(2)
    .split('/')
    .filter((step) => reference !== '#' || step !== '')
  let target: unknown = root
  for (const step of steps) {
    const key = decoded(step).replaceAll('~1', '/').replaceAll('~0', '~')
    const holder = target
    target = undefined
    if ((isObject(holder) || Array.isArray(holder)) && Object.hasOwn(holder, key))
      target = (holder as Record<string, unknown>)[key]
    if (target === undefined) throw invalid(path, `$ref ${reference} names nothing in the schema`)
  }
  return target
}

/** A part of a fragment; one that is no percent-encoding is meant as it stands. */
function decoded(step: string): string {
  try {
    return decodeURIComponent(step)
  } catch {
    return step
  }
}

function invalid(path: string, what: string): LmError {
  return new LmError('SCHEMA_INVALID', `JSON schema at ${path}: ${what}.`)
}

export function unsupported(path: string, what: string): LmError {
  return new LmError('SCHEMA_UNSUPPORTED', `JSON schema at ${path}: ${what}.`)
}

/** What recursion over a schema runs into. */
export function nestedTooDeeply(cause: RangeError): LmError {
  return new LmError('SCHEMA_UNSUPPORTED', 'The JSON schema is nested too deeply, or a list in it is too long.', { cause })
}
