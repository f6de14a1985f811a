import { checkedSchema, isAnnotation, isObject, type JsonSchema, type SchemaObject, typesOf, unsupported } from './json-schema.js'

/** How two values of one keyword become the one that allows what both allow. */
const mergers: Readonly<Record<string, (a: unknown, b: unknown, path: string) => unknown>> = {
  required: (a, b) => [...new Set([...(a as string[]), ...(b as string[])])],
  properties: (a, b, path) => mergedProperties(a as SchemaObject, b as SchemaObject, path),
  items: (a, b, path) => mergeSchemas(a as JsonSchema, b as JsonSchema, path),
  propertyNames: (a, b, path) => mergeSchemas(a as JsonSchema, b as JsonSchema, path),
  enum: (a, b) =>
    (a as unknown[]).filter((value) => (b as unknown[]).some((other) => JSON.stringify(other) === JSON.stringify(value))),
  ...Object.fromEntries(
    ['minimum', 'exclusiveMinimum', 'minLength', 'minItems'].map((key) => [
      key,
      (a: unknown, b: unknown) => Math.max(a as number, b as number),
    ]),
  ),
  ...Object.fromEntries(
    ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems'].map((key) => [
      key,
      (a: unknown, b: unknown) => Math.min(a as number, b as number),
    ]),
  ),
}

/**
 * One schema for the values that are valid under both; neither has references.
 * @throws LmError SCHEMA_UNSUPPORTED naming the keyword that has no common form
 */
export function mergeSchemas(first: JsonSchema, second: JsonSchema, path: string): JsonSchema {
  const [a, b] = [checkedSchema(first, path), checkedSchema(second, path)]
  if (a === false || b === false) return false
  if (a === true) return b
  if (b === true) return a
  const merged: Record<string, unknown> = { ...a }
  for (const [keyword, value] of Object.entries(literalAsEnum(b))) {
    const own = literalAsEnum(a)[keyword]
    merged[keyword] =
      own === undefined || JSON.stringify(own) === JSON.stringify(value) ? value : combine(keyword, own, value, path)
  }
  if (a.type !== undefined && b.type !== undefined) {
    const types = commonTypes(a, b, path)
    if (types.length === 0) return false
    merged.type = types
  }
  if ('enum' in merged) delete merged.const
  refuseClosed(a, b, path)
  refuseClosed(b, a, path)
  return merged
}

function combine(keyword: string, a: unknown, b: unknown, path: string): unknown {
  // Types are intersected by the caller.
  if (keyword === 'type' || isAnnotation(keyword)) return b
  const merger = mergers[keyword]
  if (!merger) throw unsupported(path, `'${keyword}' stands in two schemas that must hold together, which cannot be combined`)
  return merger(a, b, path)
}

const literalAsEnum = (schema: SchemaObject): SchemaObject => {
  if (!('const' in schema)) return schema
  const { const: literal, ...rest } = schema
  return { ...rest, enum: [literal] }
}

function mergedProperties(a: SchemaObject, b: SchemaObject, path: string): SchemaObject {
  const merged: Record<string, unknown> = { ...a }
  for (const [name, schema] of Object.entries(b)) {
    const own = Object.hasOwn(a, name) ? a[name] : undefined
    merged[name] =
      own === undefined ? schema : mergeSchemas(own as JsonSchema, schema as JsonSchema, `${path}/properties/${name}`)
  }
  return merged
}

function commonTypes(a: SchemaObject, b: SchemaObject, path: string): string[] {
  const [left, right] = [typesOf(a, path), typesOf(b, path)]
  const whole = (types: readonly string[]) => types.includes('integer') || types.includes('number')
  const common: string[] = left.filter((type) => right.includes(type))
  if (whole(left) && whole(right) && !common.includes('number') && !common.includes('integer')) common.push('integer')
  return common
}

/** Where one side allows no further properties, the other must not bring any: whose schema they had is lost when both are one. */
function refuseClosed(closed: SchemaObject, other: SchemaObject, path: string): void {
  if (closed.additionalProperties === undefined || closed.additionalProperties === true) return
  const own = isObject(closed.properties) ? closed.properties : {}
  const brought = Object.keys(isObject(other.properties) ? other.properties : {}).filter((name) => !Object.hasOwn(own, name))
  if (brought.length > 0)
    throw unsupported(path, `'additionalProperties' closes a schema to which another adds the property '${brought[0]}'`)
}
