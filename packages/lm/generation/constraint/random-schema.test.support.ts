import fc from 'fast-check'

type Schema = fc.Arbitrary<Record<string, unknown>>

const patterns = [
  '^[a-z]+$',
  '^(foo|ba[rz])-\\d{2,4}$',
  '^[A-Z]\\w{0,3}',
  'x.z$',
  '^\\S+@\\S+$',
  '"\\\\|é+',
  '^(?:ab|a)*$',
  '^[^a-y]$',
]
const formats = ['date', 'time', 'date-time', 'uuid', 'ipv4', 'hostname', 'uri', 'email']
const names = ['id', 'name', 'tags', 'a b', 'größe', 'x"y', '🦔', 'next', 'id2']

const bounds = (min: number, max: number, low: string, high: string) =>
  fc.tuple(fc.option(fc.integer({ min, max })), fc.option(fc.nat({ max: max - min }))).map(([from, more]) => ({
    ...(from !== null && { [low]: from }),
    ...(more !== null && { [high]: (from ?? min) + more }),
  }))

const merged = (...parts: Schema[]): Schema =>
  fc.tuple(...parts).map((list) => Object.assign({}, ...list) as Record<string, unknown>)
const only = (value: Record<string, unknown>): Schema => fc.constant(value)

const text = fc.oneof(
  merged(only({ type: 'string' }), bounds(0, 12, 'minLength', 'maxLength')),
  merged(
    only({ type: 'string' }),
    fc.constantFrom(...patterns).map((pattern) => ({ pattern })),
  ),
  merged(
    only({ type: 'string' }),
    fc.constantFrom(...formats).map((format) => ({ format })),
  ),
  fc.constantFrom(
    { type: 'string', pattern: '^[ab]+$', minLength: 3, maxLength: 6 },
    { type: 'string', pattern: 'o', minLength: 2 },
  ),
)
const whole = merged(
  only({ type: 'integer' }),
  fc.oneof(
    bounds(-1200, 1200, 'minimum', 'maximum'),
    bounds(-40, 4000, 'exclusiveMinimum', 'maximum').filter((b) => b.maximum !== b.exclusiveMinimum),
  ),
)
const real = merged(
  only({ type: 'number' }),
  fc.oneof(
    bounds(-300, 500, 'minimum', 'maximum').map((b) =>
      Object.fromEntries(Object.entries(b).map(([key, v]) => [key, (v as number) / 8])),
    ),
    bounds(-9, 9, 'exclusiveMinimum', 'exclusiveMaximum').filter(
      (b) => b.exclusiveMaximum !== b.exclusiveMinimum || b.exclusiveMinimum === undefined,
    ),
  ),
)
const literal = fc.oneof(
  fc
    .uniqueArray(
      fc.oneof(fc.string({ unit: 'grapheme', maxLength: 6 }), fc.integer(), fc.constantFrom(null, true, [1, 'a'], { k: [] })),
      { minLength: 1, maxLength: 4, selector: (value) => JSON.stringify(value) },
    )
    .map((values) => ({ enum: values })),
  fc
    .oneof(fc.string({ maxLength: 5 }), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constant({ deep: { x: 1 } }))
    .map((value) => ({ const: value })),
)
const plain = fc.constantFrom<Record<string, unknown>>(
  { type: 'boolean' },
  { type: 'null' },
  { type: ['string', 'null'] },
  {},
  { $ref: '#/$defs/tree' },
  { $ref: '#/$defs/word' },
)

/** Schemas of what generation can follow, most of them nested; every one has valid values. */
export const randomSchema: Schema = fc
  .letrec<{ schema: Record<string, unknown> }>((tie) => ({
    schema: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.oneof(text, whole, real, literal, plain),
      list(tie('schema')),
      record(tie('schema')),
      fc.array(tie('schema'), { minLength: 1, maxLength: 3 }).map((anyOf) => ({ anyOf })),
      fc.tuple(text, whole, record(tie('schema'))).map((oneOf) => ({ oneOf })),
      tie('schema').map((schema) => ({ allOf: [schema], description: 'one' })),
    ),
  }))
  .schema.map((schema) => ({
    ...schema,
    $defs: {
      tree: {
        type: 'object',
        properties: { value: { type: 'integer' }, children: { type: 'array', items: { $ref: '#/$defs/tree' } } },
        required: ['value'],
        additionalProperties: false,
      },
      word: { type: 'string', pattern: '^\\w+$' },
    },
  }))

function list(item: Schema): Schema {
  return fc.oneof(
    merged(
      only({ type: 'array' }),
      item.map((items) => ({ items })),
      bounds(0, 4, 'minItems', 'maxItems'),
    ),
    fc.tuple(item, item).map(([a, b]) => ({ type: 'array', prefixItems: [a, b], items: false, minItems: 2 })),
  )
}

function record(value: Schema): Schema {
  const properties = fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 4, noNullPrototype: true })
  return fc
    .tuple(properties, fc.nat({ max: 15 }), fc.option(fc.oneof(fc.constantFrom<unknown>(true, false), value)))
    .map(([given, mask, additionalProperties]) => ({
      type: 'object',
      properties: given,
      required: Object.keys(given).filter((_, index) => mask & (1 << index)),
      ...(additionalProperties !== null && { additionalProperties }),
    }))
}
