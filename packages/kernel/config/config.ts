import { Ajv, type ValidateFunction } from 'ajv'
import { ModuleError } from '../errors.js'
import type { JsonSchema, Manifest } from '../manifest/manifest.js'
import { sentences } from '../manifest/schema-errors.js'

// A module's configuration: checked against the schema in its manifest, with defaults filled in.

export type ModuleConfig = Readonly<Record<string, unknown>>

const empty: ModuleConfig = Object.freeze({})

/** Checks configs. One per manager: it keeps compiled schemas. */
export class ConfigChecker {
  #ajv: Ajv | undefined
  readonly #compiled = new WeakMap<JsonSchema, ValidateFunction>()

  /**
   * The config with defaults; the argument is left as it is.
   * @throws ModuleError `BAD_CONFIG` naming each wrong key, what is allowed, and the fix
   */
  check(manifest: Manifest, given: ModuleConfig | undefined): ModuleConfig {
    if (manifest.config === undefined) {
      const keys = Object.keys(given ?? {})
      if (keys.length === 0) return empty
      throw new ModuleError('BAD_CONFIG', `Module '${manifest.id}' takes no config (got ${keys.join(', ')}). Leave it out.`, {
        module: manifest.id,
      })
    }
    const config = structuredClone(given ?? {}) as Record<string, unknown>
    const validate = this.#compile(manifest, manifest.config)
    if (validate(config)) return config
    const problems = sentences(validate.errors ?? []).map(({ message }) => message)
    throw new ModuleError('BAD_CONFIG', `Config of module '${manifest.id}': ${problems.join('; ')}`, { module: manifest.id })
  }

  #compile(manifest: Manifest, schema: JsonSchema): ValidateFunction {
    let validate = this.#compiled.get(schema)
    if (validate === undefined) {
      this.#ajv ??= new Ajv({ allErrors: true, verbose: true, strict: false, useDefaults: true })
      try {
        validate = this.#ajv.compile(schema)
      } catch (cause) {
        const message = `The config schema of module '${manifest.id}' is no valid JSON Schema: ${(cause as Error).message}`
        throw new ModuleError('BAD_MANIFEST', message, { module: manifest.id, cause })
      }
      this.#compiled.set(schema, validate)
    }
    return validate
  }
}

/** Keys of a config marked `secret: true` (or `writeOnly`, `format: password`) in its schema; they are never printed or saved. */
export function secretKeys(schema: JsonSchema | undefined): string[] {
  const properties = (schema?.properties ?? {}) as Record<string, { secret?: boolean; writeOnly?: boolean; format?: string }>
  return Object.entries(properties)
    .filter(([, property]) => property.secret === true || property.writeOnly === true || property.format === 'password')
    .map(([key]) => key)
}
