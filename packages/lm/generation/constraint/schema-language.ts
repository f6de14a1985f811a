import { areDisjoint } from './disjoint-schemas.js'
import { formatPatterns } from './formats.js'
import {
  assertions,
  checkedSchema,
  invalid,
  isObject,
  isOfType,
  type JsonSchema,
  type JsonType,
  listOf,
  numberOf,
  resolveReference,
  type SchemaObject,
  textOf,
  typesOf,
  unsupported,
} from './json-schema.js'
import type { Language, Languages } from './language.js'
import { mergeSchemas } from './merge-schemas.js'
import { NumberLanguages } from './number-language.js'
import { patternLanguage } from './pattern.js'
import { StringLanguages } from './string-language.js'

/**
 * The JSON texts of values that are valid under a schema, as UTF-8. Not all of them: properties come in the schema's order, a comma and a colon
 * have at most one space behind them, numbers at most 15 digits, and an object with `properties` gets others only where `additionalProperties` says so.
 * @throws LmError SCHEMA_INVALID, SCHEMA_UNSUPPORTED naming the keyword and its place
 */
export function schemaLanguage(languages: Languages, schema: unknown): Language {
  return new SchemaReader(languages, schema as JsonSchema).language(schema, '#', new Set())
}

const scalarKeywords = new Set(
  'type minLength maxLength pattern format minimum maximum exclusiveMinimum exclusiveMaximum multipleOf'.split(' '),
)
const longestReference = 32

class SchemaReader {
  readonly #languages: Languages
  readonly #strings: StringLanguages
  readonly #numbers: NumberLanguages
  readonly #root: JsonSchema
  readonly #rules = new Map<string, Language>()
  readonly #comma: Language
  readonly #colon: Language
  #any: Language | undefined

  constructor(languages: Languages, root: JsonSchema) {
    const { sequence, text, optional } = languages
    this.#languages = languages
    this.#strings = new StringLanguages(languages)
    this.#numbers = new NumberLanguages(languages)
    this.#root = root
    this.#comma = sequence(text(','), optional(text(' ')))
    this.#colon = sequence(text(':'), optional(text(' ')))
  }

  /** @param within references that were followed to get here, with no bracket or brace between */
  language(value: unknown, path: string, within: ReadonlySet<string>): Language {
    const schema = checkedSchema(value, path)
    if (schema === true) return this.#anything()
    if (schema === false) return this.#languages.nothing
    const { $ref, allOf, anyOf, oneOf, ...rest } = schema
    if ($ref !== undefined && assertions(schema).length === 1) return this.#reference(String($ref), path, within)
    if ($ref !== undefined || allOf !== undefined) {
      const parts = [...listOf(schema, 'allOf', path), ...($ref === undefined ? [] : [{ $ref }])]
      const whole = { ...rest, ...(anyOf !== undefined && { anyOf }), ...(oneOf !== undefined && { oneOf }) }
      return this.language(this.#merged(whole, parts, path), path, within)
    }
    if (anyOf !== undefined) {
      const branches = listOf(schema, 'anyOf', path)
      return this.#branches(branches, oneOf === undefined ? rest : { ...rest, oneOf }, `${path}/anyOf`, within)
    }
    if (oneOf !== undefined) {
      const branches = listOf(schema, 'oneOf', path)
      this.#requireDisjoint(branches, path)
      return this.#branches(branches, rest, `${path}/oneOf`, within)
    }
    if ('enum' in schema || 'const' in schema) return this.#literals(schema, path)
    return this.#languages.either(...typesOf(schema, path).map((type) => this.#ofType(type, schema, path)))
  }

  /** A rule for what is referred to: it may contain itself. */
  #reference(reference: string, path: string, within: ReadonlySet<string>): Language {
    if (within.has(reference)) throw unsupported(path, `$ref ${reference} leads back to itself with no array or object between`)
    const known = this.#rules.get(reference)
    if (known) return known
    const target = resolveReference(this.#root, reference, path)
    const rule = this.#languages.rule()
    this.#rules.set(reference, rule.language)
    rule.define(this.language(target, reference, new Set([...within, reference])))
    return rule.language
  }

  #branches(branches: readonly unknown[], rest: SchemaObject, path: string, within: ReadonlySet<string>): Language {
    const alone = assertions(rest).length === 0
    const options = branches.map((branch, index) => {
      const place = `${path}/${index}`
      return this.language(alone ? branch : this.#merged(rest, [branch], place), place, within)
    })
    return this.#languages.either(...options)
  }

  #merged(schema: SchemaObject, parts: readonly unknown[], path: string): JsonSchema {
    return parts.reduce<JsonSchema>(
      (whole, part) => mergeSchemas(whole, this.#resolved(checkedSchema(part, path), path), path),
      schema,
    )
  }

  /** A schema without references at its top. */
  #resolved(schema: JsonSchema, path: string, depth = 0): JsonSchema {
    if (!isObject(schema) || schema.$ref === undefined) return schema
    if (depth > longestReference) throw unsupported(path, `$ref ${String(schema.$ref)} leads back to itself`)
    const { $ref, ...rest } = schema
    const target = checkedSchema(resolveReference(this.#root, $ref, path), String($ref))
    const resolved = this.#resolved(target, path, depth + 1)
    return assertions(rest).length === 0 ? resolved : mergeSchemas(rest, resolved, path)
  }

  #requireDisjoint(branches: readonly unknown[], path: string): void {
    const schemas = branches.map((branch, index) => checkedSchema(branch, `${path}/oneOf/${index}`))
    for (const [index, schema] of schemas.entries()) {
      const other = schemas.findIndex(
        (_, place) => place > index && !areDisjoint(schema, schemas[place]!, (s) => this.#resolved(s, path)),
      )
      if (other >= 0)
        throw unsupported(
          path,
          `oneOf branches ${index} and ${other} may hold for one value; tell them apart by type or by a required property with a const, or use anyOf`,
        )
    }
  }

  #literals(schema: SchemaObject, path: string): Language {
    const { enum: _, const: __, ...rest } = schema
    const values = 'const' in schema ? [schema.const] : listOf(schema, 'enum', path)
    const listed = 'const' in schema && 'enum' in schema ? listOf(schema, 'enum', path) : values
    const texts = values
      .map((value) => JSON.stringify(value))
      .filter((text) => listed.some((value) => JSON.stringify(value) === text))
    const others = assertions(rest)
    const strange = others.find((keyword) => !scalarKeywords.has(keyword))
    if (strange !== undefined) throw unsupported(path, `'${strange}' beside enum or const; leave out the values that it forbids`)
    const types = schema.type === undefined ? undefined : typesOf(schema, path)
    const fits = (text: string): boolean => {
      const value: unknown = JSON.parse(text)
      if (types && !types.some((type) => isOfType(value, type))) return false
      const scalar = others.length > 1 && (typeof value === 'string' || typeof value === 'number')
      return !scalar || this.#languages.has(this.language(rest, path, new Set()), new TextEncoder().encode(text))
    }
    return this.#languages.either(...texts.filter(fits).map((text) => this.#languages.text(text)))
  }

  #ofType(type: JsonType, schema: SchemaObject, path: string): Language {
    const { either, text } = this.#languages
    const bounds = {
      minimum: numberOf(schema, 'minimum', path),
      maximum: numberOf(schema, 'maximum', path),
      exclusiveMinimum: numberOf(schema, 'exclusiveMinimum', path),
      exclusiveMaximum: numberOf(schema, 'exclusiveMaximum', path),
    }
    switch (type) {
      case 'string':
        return this.#string(schema, path)
      case 'integer':
        return this.#numbers.integer(bounds)
      case 'number':
        return this.#numbers.number(bounds)
      case 'boolean':
        return either(text('true'), text('false'))
      case 'null':
        return text('null')
      case 'array':
        return this.#array(schema, path)
      case 'object':
        return this.#object(schema, path)
    }
  }

  #string(schema: SchemaObject, path: string): Language {
    const format = textOf(schema, 'format', path)
    const formatPattern = format === undefined ? undefined : formatPatterns.get(format)
    if (format !== undefined && formatPattern === undefined)
      throw unsupported(
        path,
        `format '${format}' cannot be followed; those that can are ${[...formatPatterns.keys()].join(', ')}`,
      )
    const contents = [textOf(schema, 'pattern', path), formatPattern]
      .filter((pattern) => pattern !== undefined)
      .map((pattern) => patternLanguage(this.#languages, pattern))
    const content = contents.length > 1 ? this.#languages.both(contents[0]!, contents[1]!) : contents[0]
    return this.#strings.string(numberOf(schema, 'minLength', path), numberOf(schema, 'maxLength', path), content)
  }

  #array(schema: SchemaObject, path: string): Language {
    const { sequence, either, repeat, text, nothing, end } = this.#languages
    const first = listOf(schema, 'prefixItems', path).map((item, index) =>
      this.language(item, `${path}/prefixItems/${index}`, new Set()),
    )
    const item = this.language(schema.items ?? true, `${path}/items`, new Set())
    const least = numberOf(schema, 'minItems', path) ?? 0
    const most = numberOf(schema, 'maxItems', path) ?? Number.POSITIVE_INFINITY
    if (first.length === 0) {
      const some = sequence(item, repeat(sequence(this.#comma, item), Math.max(0, least - 1), most - 1))
      return sequence(text('['), either(least === 0 ? end : nothing, most === 0 ? nothing : some), text(']'))
    }
    /** What follows when `count` items stand there. */
    const after = (count: number): Language => {
      const comma = count === 0 ? end : this.#comma
      if (count === first.length) return repeat(sequence(comma, item), Math.max(0, least - count), most - count)
      const stop = count >= least ? end : nothing
      return count >= most ? stop : either(stop, sequence(comma, first[count]!, after(count + 1)))
    }
    return sequence(text('['), after(0), text(']'))
  }

  #object(schema: SchemaObject, path: string): Language {
    const { sequence, either, optional, repeat, text, nothing, end } = this.#languages
    const properties = schema.properties ?? {}
    if (!isObject(properties)) throw invalid(path, 'properties must be an object')
    const required = listOf(schema, 'required', path)
    const open = schema.additionalProperties ?? schema.properties === undefined
    const others = this.language(open, `${path}/additionalProperties`, new Set())
    const undeclared = required
      .filter((name) => !Object.hasOwn(properties, String(name)))
      .map((name) => [String(name), open] as const)
    const members = [...Object.entries(properties), ...undeclared].map(([name, value]) => ({
      required: required.includes(name),
      language: sequence(text(JSON.stringify(name)), this.#colon, this.language(value, `${path}/properties/${name}`, new Set())),
    }))
    const names = [...Object.keys(properties), ...undeclared.map(([name]) => name)]
    const other = others === nothing ? nothing : sequence(this.#strings.nameOtherThan(names), this.#colon, others)
    // From the last member to the first: what may stand there when something stands before it, and when nothing does.
    let afterSome: Language = repeat(sequence(this.#comma, other))
    let afterNone: Language = other === nothing ? end : optional(sequence(other, afterSome))
    for (const member of members.toReversed()) {
      const withoutIt = [member.required ? nothing : afterSome, member.required ? nothing : afterNone] as const
      afterNone = either(sequence(member.language, afterSome), withoutIt[1])
      afterSome = either(sequence(this.#comma, member.language, afterSome), withoutIt[0])
    }
    return sequence(text('{'), afterNone, text('}'))
  }

  /** Any JSON value. */
  #anything(): Language {
    if (this.#any) return this.#any
    const rule = this.#languages.rule()
    this.#any = rule.language
    rule.define(this.language({}, '#', new Set()))
    return this.#any
  }
}
