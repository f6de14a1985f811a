import { NnError } from '../errors.js'
import { canonical, didYouMean } from './names.js'

/** A stage of a pipeline in a configuration: `'relu'`, `{ type: 'linear', outFeatures: 10 }`, `{ linear: { outFeatures: 10 } }`. */
export type StageConfig = string | { readonly [name: string]: ConfigValue }
/** A value of a configuration as it is written; strings are converted to the parameter's type. */
export type ConfigValue = string | number | boolean | null | readonly ConfigValue[] | { readonly [name: string]: ConfigValue }
export type LayerConfig = { readonly [name: string]: ConfigValue }

/** The types a parameter can have, and what each is after checking. */
export interface ParameterTypes {
  integer: number
  number: number
  boolean: boolean
  string: string
  /** One size for all dimensions, or one for each: `2`, `[2, 3]`, `'2,3'`. */
  sizes: number | number[]
  /** As `sizes`, of numbers that need not be whole. */
  numbers: number | number[]
  /** As `sizes`, or a word. */
  padding: number | number[] | 'same' | 'valid'
  /** A list of stages. */
  stages: StageConfig[]
  /** A list of lists of stages. */
  branches: StageConfig[][]
}

/** What can be set of a layer. */
export interface LayerParameter {
  readonly type: keyof ParameterTypes
  readonly description: string
  readonly required?: true
  /** What it is where it is not given. Absent: the layer decides. */
  readonly default?: string | number | boolean
  /** Bounds of numbers, and of each of several sizes. */
  readonly minimum?: number
  readonly exclusiveMinimum?: number
  readonly maximum?: number
  readonly exclusiveMaximum?: number
  /** The only strings allowed. */
  readonly values?: readonly string[]
}
export type LayerParameters = Readonly<Record<string, LayerParameter>>

type ValueOf<P extends LayerParameter> = P['values'] extends readonly (infer V)[] ? V : ParameterTypes[P['type']]
type Certain<P extends LayerParameters> = {
  [K in keyof P]: P[K] extends { required: true } | { default: string | number | boolean } ? K : never
}[keyof P]
/** A configuration after checking: values of the right types; those without default may be absent. */
export type CheckedConfig<P extends LayerParameters> = { readonly [K in Certain<P>]: ValueOf<P[K]> } & {
  readonly [K in Exclude<keyof P, Certain<P>>]?: ValueOf<P[K]>
}

type Convert<T> = (value: ConfigValue) => T | undefined

const toNumber: Convert<number> = (value) => {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined
}
const toInteger: Convert<number> = (value) => {
  const number = toNumber(value)
  return Number.isInteger(number) ? number : undefined
}
const isStage = (value: ConfigValue): value is StageConfig =>
  typeof value === 'string' || (typeof value === 'object' && value !== null && !Array.isArray(value))
const toStages: Convert<StageConfig[]> = (value) => (Array.isArray(value) && value.every(isStage) ? value : undefined)

/** One value, or a list of them: `2`, `[2, 3]`, `'2,3'`, `'[2, 3]'`. */
function oneOrSeveral(convert: Convert<number>): Convert<number | number[]> {
  return (value) => {
    const list = typeof value === 'string' && value.includes(',') ? value.replaceAll(/[[\]\s]/g, '').split(',') : value
    if (!Array.isArray(list)) return convert(value)
    const numbers = list.map(convert)
    return numbers.every((number) => number !== undefined) ? numbers : undefined
  }
}
const toSizes = oneOrSeveral(toInteger)

/** Each type: what to call it, and the conversion of what a configuration holds. */
const types: { readonly [T in keyof ParameterTypes]: { readonly name: string; readonly convert: Convert<ParameterTypes[T]> } } = {
  integer: { name: 'a whole number', convert: toInteger },
  number: { name: 'a number', convert: toNumber },
  boolean: {
    name: 'true or false',
    convert: (value) => (typeof value === 'boolean' ? value : value === 'true' ? true : value === 'false' ? false : undefined),
  },
  string: { name: 'a string', convert: (value) => (typeof value === 'string' ? value : undefined) },
  sizes: { name: 'a whole number, or a list of them', convert: toSizes },
  numbers: { name: 'a number, or a list of them', convert: oneOrSeveral(toNumber) },
  padding: {
    name: "a whole number, a list of them, 'same' or 'valid'",
    convert: (value) => (value === 'same' || value === 'valid' ? value : toSizes(value)),
  },
  stages: { name: 'a list of layers', convert: toStages },
  branches: {
    name: 'a list of lists of layers',
    convert(value) {
      const lists = Array.isArray(value) ? value.map(toStages) : [undefined]
      return lists.every((list) => list !== undefined) ? lists : undefined
    },
  },
}

const bounds = {
  minimum: { says: 'at least', holds: (value: number, bound: number) => value >= bound },
  exclusiveMinimum: { says: 'more than', holds: (value: number, bound: number) => value > bound },
  maximum: { says: 'at most', holds: (value: number, bound: number) => value <= bound },
  exclusiveMaximum: { says: 'less than', holds: (value: number, bound: number) => value < bound },
} as const
const boundNames = Object.keys(bounds) as (keyof typeof bounds)[]

/** `a whole number, at least 1`: what a parameter takes, in words. */
function describeParameter(parameter: LayerParameter): string {
  const limits = boundNames.flatMap((name) => (parameter[name] === undefined ? [] : [`${bounds[name].says} ${parameter[name]}`]))
  return [
    parameter.values ? parameter.values.map((value) => `'${value}'`).join(' or ') : types[parameter.type].name,
    ...limits,
  ].join(', ')
}

/** One value as its parameter wants it; undefined where it is wrong. */
function checkValue(parameter: LayerParameter, value: ConfigValue): ParameterTypes[keyof ParameterTypes] | undefined {
  const converted = types[parameter.type].convert(value)
  if (converted === undefined || (parameter.values && !parameter.values.includes(String(converted)))) return undefined
  const numbers = [converted].flat().filter((item) => typeof item === 'number')
  const inside = boundNames.every((name) => {
    const bound = parameter[name]
    return bound === undefined || numbers.every((number) => bounds[name].holds(number, bound))
  })
  return inside ? converted : undefined
}

/**
 * The configuration of a layer, checked against its parameters: names spelled as declared, strings converted, defaults filled in.
 * `partial` lets required ones be absent, for those that a pipeline finds out from the shape.
 * @throws NnError BAD_CONFIG naming the layer, the parameter, what it takes and what it got
 */
export function checkConfig(
  type: string,
  parameters: LayerParameters,
  config: LayerConfig,
  { partial = false }: { readonly partial?: boolean } = {},
): Readonly<Record<string, ParameterTypes[keyof ParameterTypes]>> {
  const fail = (problem: string) => new NnError('BAD_CONFIG', `Layer '${type}': ${problem}`)
  const declared = new Map(Object.keys(parameters).map((name) => [canonical(name), name]))
  const checked: Record<string, ParameterTypes[keyof ParameterTypes]> = {}
  for (const [given, value] of Object.entries(config)) {
    const name = declared.get(canonical(given))
    if (name === undefined) {
      const all = [...declared.values()]
      const known = all.length > 0 ? `It takes ${all.join(', ')}.` : 'It takes none.'
      throw fail(`no parameter '${given}'.${didYouMean(given, all)} ${known}`)
    }
    if (name in checked) throw fail(`'${name}' is given twice.`)
    if (value === null) continue
    const parameter = parameters[name]!
    const right = checkValue(parameter, value)
    if (right === undefined) throw fail(`'${name}' must be ${describeParameter(parameter)}, got ${JSON.stringify(value)}.`)
    checked[name] = right
  }
  for (const [name, parameter] of Object.entries(parameters)) {
    if (name in checked) continue
    if (parameter.default !== undefined) checked[name] = parameter.default
    else if (parameter.required && !partial)
      throw fail(`'${name}' is missing: ${parameter.description} (${describeParameter(parameter)}).`)
  }
  return checked
}
