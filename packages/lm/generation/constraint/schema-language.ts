import { areDisjoint } from './disjoint-schemas.js'
import { formatPatterns } from './formats.js'
import {
  assertions,
  checkedSchema,
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
import { anyText } from './literals.js'
import { mergeSchemas } from './merge-schemas.js'
import { NumberLanguages } from './number-language.js'
import { patternLanguage } from './pattern.js'
import { StringLanguages } from './string-language.js'

/**
 * The JSON texts of values that are valid under a schema, as UTF-8. Not all of them: properties come in the schema's order, a comma and a colon
 * have at most one space behind them, numbers at most 15 digits, and an object with `properties` gets others only where `additionalProperties` says so.
 * @throws LmError SCHEMA_INVALID, SCHEMA_UNSUPPORTED naming the keyword and its place; RangeError where it is nested too deeply
 */
export function schemaLanguage(languages: Languages, schema: unknown): Language {
  return new SchemaReader(languages, schema as JsonSchema).language(schema, '#', new Set())
}

const scalarKeywords = new Set(
  'type minLength maxLength pattern format minimum maximum exclusiveMinimum exclusiveMaximum multipleOf'.split(' '),
)
const longestReference = 32
/** Each branch of `oneOf` is compared with each other one, and with all within it. */
const mostCompared = 100_000

class SchemaReader {
  readonly #languages: Languages
  readonly #strings: StringLanguages
  readonly #numbers: NumberLanguages
  readonly #root: JsonSchema
  readonly #rules = new Map<string, Language>()
  readonly #comma: Language
  readonly #colon: Language
  #any: Language | undefined
  #compared = 0

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
    const { $ref, allOf, ...rest } = schema
    if ($ref !== undefined && assertions(schema).length === 1) return this.#reference(String($ref), path, within)
    if ($ref !== undefined || allOf !== undefined) {
      const parts = [...listOf(schema, 'allOf'), ...($ref === undefined ? [] : [{ $ref }])]
      const [only] = parts
      if (parts.length === 1 && assertions(rest).length === 0) return this.language(only, path, within)
      return this.#ruled(this.#merged(rest, parts, path), path, within)
    }
    if (schema.anyOf !== undefined) return this.#branches('anyOf', schema, path, within)
    if (schema.oneOf !== undefined) return this.#branches('oneOf', schema, path, within)
    if ('enum' in schema || 'const' in schema) return this.#literals(schema, path)
    return this.#languages.either(...typesOf(schema, path).map((type) => this.#ofType(type, schema, path)))
  }

  #reference(reference: string, path: string, within: ReadonlySet<string>): Language {
    const target = () => resolveReference(this.#root, reference, path)
    return this.#rule(reference, path, within, (inside) => this.language(target(), reference, inside))
  }

  /** Combined schemas are rules, too: their parts may contain what leads back to them. */
  #ruled(schema: JsonSchema, path: string, within: ReadonlySet<string>): Language {
    return this.#rule(JSON.stringify(schema), path, within, (inside) => this.language(schema, path, inside))
  }

  /** One rule for each key: it may contain itself. */
  #rule(key: string, path: string, within: ReadonlySet<string>, make: (within: ReadonlySet<string>) => Language): Language {
    if (within.has(key)) {
      const what = key.startsWith('#') ? `$ref ${key}` : 'what is combined here'
      throw unsupported(path, `${what} leads back to itself with no array or object between`)
    }
    const known = this.#rules.get(key)
    if (known) return known
    const rule = this.#languages.rule()
    this.#rules.set(key, rule.language)
    rule.define(make(new Set([...within, key])))
    return rule.language
  }

  #branches(keyword: 'anyOf' | 'oneOf', schema: SchemaObject, path: string, within: ReadonlySet<string>): Language {
    const { [keyword]: _, ...rest } = schema
    const alone = assertions(rest).length === 0
    const place = (index: number) => `${path}/${keyword}/${index}`
    const branches = listOf(schema, keyword).map((branch, index) =>
      alone ? checkedSchema(branch, place(index)) : this.#merged(rest, [branch], place(index)),
    )
    if (keyword === 'oneOf') this.#requireDisjoint(branches, path)
    const read = (branch: JsonSchema, index: number) =>
      alone ? this.language(branch, place(index), within) : this.#ruled(branch, place(index), within)
    return this.#languages.either(...branches.map(read))
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

  #requireDisjoint(branches: readonly JsonSchema[], path: string): void {
    const resolve = (schema: JsonSchema) => {
      if (++this.#compared > mostCompared) throw unsupported(path, 'oneOf has too many branches to tell apart; use anyOf')
      return this.#resolved(checkedSchema(schema, path), path)
    }
    for (const [index, branch] of branches.entries()) {
      const other = branches.findIndex((_, place) => place > index && !areDisjoint(branch, branches[place]!, resolve))
      if (other < 0) continue
      throw unsupported(
        path,
        `oneOf branches ${index} and ${other} may hold for one value; tell them apart by type or by a required property with a const, or use anyOf`,
      )
    }
  }

  #literals(schema: SchemaObject, path: string): Language {
    const { enum: _, const: __, ...rest } = schema
    const spelled = (values: readonly unknown[]) => new Set(values.map((value) => JSON.stringify(value)))
    const listed = spelled(listOf(schema, 'enum'))
    const literal = spelled([schema.const])
    const texts = 'const' in schema ? [...literal].filter((text) => !('enum' in schema) || listed.has(text)) : [...listed]
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
    return anyText(this.#languages, texts.filter(fits))
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
    const first = listOf(schema, 'prefixItems').map((item, index) =>
      this.language(item, `${path}/prefixItems/${index}`, new Set()),
    )
    const item = this.language(schema.items === undefined ? true : schema.items, `${path}/items`, new Set())
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
    const { sequence, either, optional, repeat, both, text, nothing, end } = this.#languages
    const properties = (schema.properties ?? {}) as SchemaObject
    const required = listOf(schema, 'required')
    const open = schema.additionalProperties ?? schema.properties === undefined
    const others = this.language(open, `${path}/additionalProperties`, new Set())
    const undeclared = required
      .filter((name) => !Object.hasOwn(properties, String(name)))
      .map((name) => [String(name), schema.additionalProperties ?? true] as const)
    const allowed =
      schema.propertyNames === undefined ? undefined : this.language(schema.propertyNames, `${path}/propertyNames`, new Set())
    const member = (name: string, value: unknown): Language => {
      const key = JSON.stringify(name)
      if (allowed && !this.#languages.has(allowed, new TextEncoder().encode(key))) return nothing
      return sequence(text(key), this.#colon, this.language(value, `${path}/properties/${name}`, new Set()))
    }
    const members = [...Object.entries(properties), ...undeclared].map(([name, value]) => ({
      required: required.includes(name),
      language: member(name, value),
    }))
    const names = [...Object.keys(properties), ...undeclared.map(([name]) => name)]
    const free = this.#strings.nameOtherThan(names)
    const name = allowed ? both(free, allowed) : free
    const other = others === nothing ? nothing : sequence(name, this.#colon, others)
    // From the last member to the first: what may stand there when something stands before it, and when nothing does.
    let afterSome: Language = repeat(sequence(this.#comma, other))
    let afterNone: Language = other === nothing ? end : optional(sequence(other, afterSome))
    for (const member of members.toReversed()) {
      const without = (rest: Language) => (member.required ? nothing : rest)
      const first = either(sequence(member.language, afterSome), without(afterNone))
      afterSome = either(sequence(this.#comma, member.language, afterSome), without(afterSome))
      afterNone = first
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
