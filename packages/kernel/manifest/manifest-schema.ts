import { categories, kinds, runtimes } from './manifest.js'

// The closed JSON Schema of `module.yaml`. Every object is closed, so a mistyped key is an error; `x-*` is free.

// Lengths are far above any use; they keep hostile text away from what parses it further.
const strings = { type: 'array', maxItems: 1000, items: { type: 'string', minLength: 1, maxLength: 1000 } }
const size = {
  anyOf: [
    { type: 'number', minimum: 0 },
    { type: 'string', maxLength: 40 },
  ],
}
const version = { type: 'string', maxLength: 256, pattern: '^\\d+(\\.\\d+){0,2}(-[0-9A-Za-z.-]+)?$' }
const path = { type: 'string', minLength: 1, maxLength: 1000 }

function closed(properties: Record<string, unknown>, required: readonly string[] = []) {
  return { type: 'object', additionalProperties: false, required, properties }
}

const option = closed(
  {
    name: { type: 'string' },
    alias: { type: 'string' },
    type: { enum: ['string', 'number', 'boolean', 'array'] },
    description: { type: 'string' },
    required: { type: 'boolean' },
    default: {},
    choices: { type: 'array' },
  },
  ['name'],
)

const command = closed(
  {
    name: { type: 'string', minLength: 1, maxLength: 200 },
    description: { type: 'string' },
    entry: path,
    options: { type: 'array', items: option },
  },
  ['name'],
)

const provision = closed(
  {
    capability: { type: 'string', minLength: 1, maxLength: 200 },
    version,
    cardinality: { enum: ['exclusive', 'shared'] },
    priority: { type: 'number' },
  },
  ['capability'],
)

const migration = closed(
  {
    to: { type: 'integer', minimum: 2 },
    rename: { type: 'object', patternProperties: { '': { type: 'string', minLength: 1 } } },
    remove: strings,
    defaults: { type: 'object' },
  },
  ['to'],
)

export const manifestSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['id', 'version'],
  patternProperties: { '^x-': {} },
  properties: {
    id: { type: 'string', maxLength: 200, pattern: '^[a-z0-9][a-z0-9-]*$' },
    name: { type: 'string' },
    version: { type: 'string', maxLength: 256, pattern: '^\\d+\\.\\d+\\.\\d+(-[0-9A-Za-z.-]+)?(\\+[0-9A-Za-z.-]+)?$' },
    description: { type: 'string' },
    kind: { enum: kinds },
    category: { enum: categories },
    api: { type: 'string', pattern: '^\\d+\\.\\d+$' },
    entry: path,
    runtime: { enum: runtimes },
    requires: strings,
    optional: strings,
    after: strings,
    conflicts: strings,
    provides: { type: 'array', items: { if: { type: 'string' }, else: provision } },
    cloud: { if: { type: 'boolean' }, else: closed({ unlessLoopback: { type: 'string', minLength: 1 } }, ['unlessLoopback']) },
    resources: closed({
      ram: size,
      vram: size,
      gpu: { enum: [true, false, 'required', 'preferred', 'none'] },
      device: { type: 'string', pattern: '^(auto|cpu|gpu:\\d{1,3})$' },
      threads: { type: 'integer', minimum: 1 },
    }),
    permissions: closed({ fs: strings, net: strings, child: { type: 'boolean' } }),
    lifecycle: closed({
      loadTimeout: size,
      startTimeout: size,
      stopTimeout: size,
      heartbeat: size,
      restart: { enum: ['never', 'on-failure', 'always'] },
      evictable: { type: 'boolean' },
    }),
    activation: strings,
    config: { type: 'object', required: ['type'], properties: { type: { const: 'object' }, properties: { type: 'object' } } },
    configVersion: { type: 'integer', minimum: 1 },
    migrations: { type: 'array', maxItems: 1000, items: migration },
    contributes: closed({ commands: { type: 'array', items: command }, console: { type: 'object' } }),
  },
}
