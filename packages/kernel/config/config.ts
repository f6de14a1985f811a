import type { Ajv, ValidateFunction } from 'ajv'
import { ModuleError } from '../errors.js'
import type { JsonSchema, Manifest } from '../manifest/manifest.js'
import { sentences } from '../manifest/schema-errors.js'
import { ajv } from '../on-demand.js'
import { isSecretKey } from './secrets.js'

// A module's configuration: checked against the schema in its manifest, with defaults filled in.

export type ModuleConfig = Readonly<Record<string, unknown>>

const empty: ModuleConfig = Object.freeze({})

/**
 * Schemas one Ajv compiles before a new one takes its place. An Ajv keeps every schema it has seen, so one for all would grow
 * with each reload; one for each would cost 5 ms a schema instead of 0.4.
 */
const perCompiler = 64

/** Checks configs. One per manager: it keeps compiled schemas as long as their manifests live. */
export class ConfigChecker {
  #ajv: Ajv | undefined
  #compiledHere = 0
  readonly #compiled = new WeakMap<JsonSchema, ValidateFunction>()

  /**
   * The config with defaults; the argument is left as it is.
   * @throws ModuleError `BAD_CONFIG` naming each wrong key, what is allowed, and the fix; `BAD_MANIFEST` when the schema is none
   */
  check(manifest: Manifest, given: ModuleConfig | undefined): ModuleConfig {
    const { id, config: schema } = manifest
    if (schema === undefined) {
      const keys = Object.keys(given ?? {})
      if (keys.length === 0) return empty
      throw new ModuleError('BAD_CONFIG', `Module '${id}' takes no config (got ${keys.join(', ')}). Leave it out.`, {
        module: id,
      })
    }
    const config = copyOf(id, given)
    const validate = this.#compile(id, schema)
    if (validate(config)) return config
    const problems = sentences(validate.errors ?? [], (key) => isSecretKey(schema, key)).map(({ message }) => message)
    throw new ModuleError('BAD_CONFIG', `Config of module '${id}': ${problems.join('; ')}`, { module: id })
  }

  /** Whether the schema itself is one. @throws ModuleError `BAD_MANIFEST` */
  accept(manifest: Manifest): void {
    if (manifest.config !== undefined) this.#compile(manifest.id, manifest.config)
  }

  #compile(id: string, schema: JsonSchema): ValidateFunction {
    const known = this.#compiled.get(schema)
    if (known !== undefined) return known
    if (this.#compiledHere++ % perCompiler === 0) {
      // Formats that Ajv does not know (`password`) are for people.
      // Schemas with an $id are not registered by it: the same module may come again, and two may share one.
      this.#ajv = new (ajv().Ajv)({
        allErrors: true,
        verbose: true,
        strict: false,
        useDefaults: true,
        addUsedSchema: false,
        logger: false,
      })
    }
    try {
      const validate = this.#ajv!.compile(schema)
      this.#compiled.set(schema, validate)
      return validate
    } catch (cause) {
      const why = cause instanceof RangeError ? 'it is nested too deeply' : (cause as Error).message
      throw new ModuleError('BAD_MANIFEST', `The config schema of module '${id}' is no valid JSON Schema: ${why}`, {
        module: id,
        cause,
      })
    }
  }
}

function copyOf(id: string, given: ModuleConfig | undefined): Record<string, unknown> {
  try {
    return structuredClone(given ?? {}) as Record<string, unknown>
  } catch (cause) {
    const message = `Config of module '${id}': it holds a value that is no data, such as a function. Pass plain values.`
    throw new ModuleError('BAD_CONFIG', message, { module: id, cause })
  }
}
