import { EngineError } from '@enigma/engines'

// JSON schemas in the words that node-llama-cpp makes a grammar of. It passes over what it does not know, so that answers would not be
// valid: here that is refused by name. Fewer texts than the schema allows is fine, others are not.

type Schema = Readonly<Record<string, unknown>>

const annotations = new Set(
  '$schema $id $comment $defs definitions title description default examples deprecated readOnly writeOnly'.split(' '),
)

/** Keywords that are honoured, by type. */
const keywords: Readonly<Record<string, readonly string[]>> = {
  object: ['properties', 'required', 'additionalProperties', 'minProperties', 'maxProperties'],
  array: ['items', 'prefixItems', 'minItems', 'maxItems'],
  string: ['minLength', 'maxLength', 'format'],
  number: [],
  integer: [],
  boolean: [],
  null: [],
}
const types = Object.keys(keywords)
const formats = ['date', 'time', 'date-time']

const anything = { oneOf: types.map((type) => (type === 'object' ? { type, additionalProperties: true } : { type })) }

/** @throws EngineError UNSUPPORTED naming the keyword and where it stands */
export function llamaSchema(schema: unknown): Schema {
  const root = isMap(schema) ? schema : {}
  const named = { ...maps(root.definitions), ...maps(root.$defs) }
  const $defs = Object.fromEntries(Object.entries(named).map(([name, inner]) => [name, converted(inner, `$defs.${name}`)]))
  const whole = converted(schema, 'the schema')
  return Object.keys($defs).length === 0 ? whole : { ...whole, $defs }
}

function converted(schema: unknown, where: string): Schema {
  if (schema === true) return anything
  if (!isMap(schema)) throw unsupported(JSON.stringify(schema), where)
  const given = Object.keys(schema).filter((key) => !annotations.has(key))
  if (given.length === 0) return anything
  for (const key of ['$ref', 'const', 'enum', 'anyOf', 'oneOf'] as const) {
    if (!(key in schema)) continue
    // A second keyword beside it would be passed over.
    const second = given.find((other) => other !== key && !(other === 'type' && (key === 'const' || key === 'enum')))
    if (second !== undefined) throw unsupported(`${second}' beside '${key}`, where)
    return special[key](schema[key], where)
  }
  const wanted = typesOf(schema.type, given, where)
  const parts = wanted.map((type) => ofType(type, schema, where))
  const strange = given.find((key) => key !== 'type' && !wanted.some((type) => keywords[type]!.includes(key)))
  if (strange !== undefined) throw unsupported(strange, where)
  return parts.length === 1 ? parts[0]! : { oneOf: parts }
}

const special: Readonly<Record<'$ref' | 'const' | 'enum' | 'anyOf' | 'oneOf', (value: unknown, where: string) => Schema>> = {
  $ref(value, where) {
    const name = /^#\/(?:\$defs|definitions)\/([^/]+)$/.exec(String(value))?.[1]
    if (name === undefined) throw unsupported(`$ref: ${value}`, where)
    return { $ref: `#/$defs/${name}` }
  },
  const: (value, where) => ({ const: scalar(value, 'const', where) }),
  enum: (values, where) => ({ enum: list(values).map((value) => scalar(value, 'enum', where)) }),
  anyOf: (choices, where) => ({ oneOf: list(choices).map((inner, i) => converted(inner, `${where}.anyOf.${i}`)) }),
  // Exactly one holds where no two can: each of another type.
  oneOf(choices, where) {
    const found = list(choices).map((inner) => (isMap(inner) ? inner.type : undefined))
    const same = (type: unknown) => (type === 'integer' ? 'number' : type)
    const apart = new Set(found.map(same)).size === found.length && found.every((type) => typeof type === 'string')
    if (!apart) throw unsupported('oneOf', where)
    return special.anyOf(choices, where)
  },
}

function typesOf(type: unknown, given: readonly string[], where: string): readonly string[] {
  if (type === undefined) {
    // Keywords of one type say nothing of the others; a text of that type is valid all the same.
    const implied = types.find((name) => keywords[name]!.some((key) => given.includes(key)))
    if (implied === undefined) throw unsupported(given[0]!, where)
    return [implied]
  }
  const wanted = Array.isArray(type) ? type.map(String) : [String(type)]
  const strange = wanted.find((name) => !types.includes(name))
  if (strange !== undefined || wanted.length === 0) throw unsupported(`type: ${strange}`, where)
  return wanted
}

function ofType(type: string, schema: Schema, where: string): Schema {
  if (type === 'object') return object(schema, where)
  if (type === 'array') return array(schema, where)
  if (type !== 'string') return { type }
  const { minLength, maxLength, format } = schema
  if (format === undefined) return { type, ...given({ minLength, maxLength }) }
  if (!formats.includes(String(format)) || minLength !== undefined || maxLength !== undefined)
    throw unsupported(`format: ${format}`, where)
  return { type, format }
}

// All properties are written, and no others: some of the objects that the schema allows.
function object({ properties, required, additionalProperties, minProperties, maxProperties }: Schema, where: string): Schema {
  const named = Object.entries(maps(properties))
  const missing = list(required).find((name) => !named.some(([key]) => key === name))
  if (missing !== undefined) throw unsupported(`required: ${missing}`, where)
  const type = 'object'
  if (named.length === 0) {
    const other = additionalProperties ?? true
    const inner = typeof other === 'boolean' ? other : converted(other, `${where}.additionalProperties`)
    return { type, additionalProperties: inner, ...given({ minProperties, maxProperties }) }
  }
  if ((minProperties as number) > named.length) throw unsupported('minProperties', where)
  if ((maxProperties as number) < named.length) throw unsupported('maxProperties', where)
  return {
    type,
    properties: Object.fromEntries(named.map(([name, inner]) => [name, converted(inner, `${where}.${name}`)])),
    additionalProperties: false,
  }
}

function array({ items, prefixItems, minItems, maxItems }: Schema, where: string): Schema {
  const first = list(prefixItems).map((inner, i) => converted(inner, `${where}.prefixItems.${i}`))
  const rest = items === false ? undefined : converted(items ?? true, `${where}.items`)
  if (items === false && first.length === 0) throw unsupported('items: false', where)
  return {
    type: 'array',
    ...given({ items: rest, minItems, maxItems: items === false ? first.length : maxItems }),
    ...(first.length > 0 && { prefixItems: first }),
  }
}

const isMap = (value: unknown): value is Schema => typeof value === 'object' && value !== null && !Array.isArray(value)
const maps = (value: unknown): Schema => (isMap(value) ? value : {})
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
const given = (fields: Schema) => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))

function scalar(value: unknown, key: string, where: string): unknown {
  if (typeof value === 'object' && value !== null) throw unsupported(`${key}: ${JSON.stringify(value)}`, where)
  return value
}

function unsupported(what: string, where: string): EngineError {
  const message = `The option 'responseFormat' cannot be honoured by llama.cpp: '${what}' in ${where}. Leave it out of the schema, or use the module 'inference'.`
  return new EngineError('UNSUPPORTED', message)
}
