import { isObject, isOfType, type JsonSchema, numberOf, type SchemaObject, typesOf } from './json-schema.js'

/** Follows a schema's own reference, if it has one. */
export type Resolve = (schema: JsonSchema) => JsonSchema

const deepest = 8

/** Whether it is certain that no value is valid under both: by type, by literal values, by ranges, by a property that tells objects apart. */
export function areDisjoint(first: JsonSchema, second: JsonSchema, resolve: Resolve, depth = 0): boolean {
  const [a, b] = [resolve(first), resolve(second)]
  if (a === false || b === false) return true
  if (a === true || b === true || depth > deepest) return false
  const branches = (schema: SchemaObject) => (schema.anyOf ?? schema.oneOf) as JsonSchema[] | undefined
  const deeper = (x: JsonSchema, y: JsonSchema) => areDisjoint(x, y, resolve, depth + 1)
  if (branches(a)?.every((branch) => deeper(branch, b))) return true
  if (branches(b)?.every((branch) => deeper(a, branch))) return true
  const [literals, others] = [literalsOf(a), literalsOf(b)]
  if (literals?.every((value) => rejects(b, value))) return true
  if (others?.every((value) => rejects(a, value))) return true
  const common = commonTypes(a, b)
  if (common.length === 0) return true
  if (common.every((type) => type === 'number')) return below(a, b) || below(b, a)
  return common.every((type) => type === 'object') && (toldApart(a, b, deeper) || closedTo(a, b) || closedTo(b, a))
}

function literalsOf(schema: SchemaObject): readonly unknown[] | undefined {
  if ('const' in schema) return [schema.const]
  return schema.enum as unknown[] | undefined
}

function rejects(schema: SchemaObject, value: unknown): boolean {
  const literals = literalsOf(schema)
  if (literals) return !literals.some((literal) => JSON.stringify(literal) === JSON.stringify(value))
  return schema.type !== undefined && !typesOf(schema, '#').some((type) => isOfType(value, type))
}

/** The types of values that are generated for one and may be valid under the other: only a schema that names its types excludes others. */
function commonTypes(a: SchemaObject, b: SchemaObject): string[] {
  const numeric = (types: readonly string[]) => types.map((type) => (type === 'integer' ? 'number' : type))
  const generated = (schema: SchemaObject) => numeric(typesOf(schema, '#'))
  const valid = (schema: SchemaObject) => numeric(typesOf(schema.type === undefined ? {} : schema, '#'))
  const shared = (some: readonly string[], others: readonly string[]) => some.filter((type) => others.includes(type))
  return [...shared(generated(a), valid(b)), ...shared(generated(b), valid(a))]
}

function below(a: SchemaObject, b: SchemaObject): boolean {
  const most = Math.min(numberOf(a, 'maximum', '#') ?? Infinity, numberOf(a, 'exclusiveMaximum', '#') ?? Infinity)
  const least = Math.max(numberOf(b, 'minimum', '#') ?? -Infinity, numberOf(b, 'exclusiveMinimum', '#') ?? -Infinity)
  return most < least
}

const required = (schema: SchemaObject): readonly string[] => (schema.required as string[] | undefined) ?? []
const properties = (schema: SchemaObject): SchemaObject => (isObject(schema.properties) ? schema.properties : {})

/** Whether some property that both require has disjoint values. */
function toldApart(a: SchemaObject, b: SchemaObject, disjoint: (a: JsonSchema, b: JsonSchema) => boolean): boolean {
  const own = (schema: SchemaObject, name: string) =>
    Object.hasOwn(properties(schema), name) ? (properties(schema)[name] as JsonSchema) : undefined
  return required(a).some((name) => {
    const [left, right] = [own(a, name), own(b, name)]
    return required(b).includes(name) && left !== undefined && right !== undefined && disjoint(left, right)
  })
}

/** Whether one requires a property that the other forbids. */
function closedTo(closed: SchemaObject, other: SchemaObject): boolean {
  return closed.additionalProperties === false && required(other).some((name) => !Object.hasOwn(properties(closed), name))
}
