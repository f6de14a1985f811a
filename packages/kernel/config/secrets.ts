import type { JsonSchema } from '../manifest/manifest.js'
import type { ModuleConfig } from './config.js'

// Which keys of a config are secret: never printed, never saved in clear.

/**
 * Whether the value of a top-level key is secret: its schema, or anything within it, is marked `secret: true` (or `writeOnly`,
 * `format: password`). A key with one secret deep inside is secret as a whole.
 */
export function isSecretKey(schema: JsonSchema | undefined, key: string): boolean {
  if (schema === undefined) return false
  const { properties, definitions, $defs, ...rest } = schema
  const own = isMap(properties) && Object.hasOwn(properties, key) ? properties[key] : undefined
  // What is not among the properties may be told by patternProperties, anyOf and the like: a mark there counts for every key.
  const told = [own, rest]
  return told.some(marked) || (told.some(refers) && [definitions, $defs].some(marked))
}

/** The config as it may be shown. */
export function withoutSecrets(schema: JsonSchema | undefined, config: ModuleConfig): ModuleConfig {
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [key, isSecretKey(schema, key) && value !== '' ? '(secret)' : value]),
  )
}

function marked(node: unknown): boolean {
  return anywhere(node, (map) => map.secret === true || map.writeOnly === true || map.format === 'password')
}

function refers(node: unknown): boolean {
  return anywhere(node, (map) => '$ref' in map)
}

function anywhere(node: unknown, test: (map: Record<string, unknown>) => boolean): boolean {
  if (Array.isArray(node)) return node.some((item) => anywhere(item, test))
  return isMap(node) && (test(node) || Object.values(node).some((value) => anywhere(value, test)))
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
