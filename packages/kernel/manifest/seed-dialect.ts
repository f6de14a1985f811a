import { canonical } from '../names.js'

// The manifest dialect of the module system described in the seed documents (systemprompt-os):
// `type`, scalar `provides`, `dependencies`, `singleton`, `cli.commands`, plain values under `config`.

const marks = ['type', 'cli', 'singleton', 'dependencies', 'displayName', 'exports', 'apis']

/** Whether a document is written in the seed dialect. */
export function isSeedDialect(document: object): boolean {
  if (!('id' in document)) return true
  for (let i = 0; i < marks.length; i++) if (marks[i]! in document) return true
  return false
}

/** The same manifest in our words. Keys that the dialect does not have are passed on, to be refused by name. */
export function fromSeedDialect(document: object): unknown {
  const {
    name,
    type,
    singleton: _singleton,
    dependencies,
    cli,
    config,
    provides,
    displayName,
    author,
    enabled: _enabled,
    exports: _exports,
    apis: _apis,
    category,
    requires,
    ...rest
  } = document as Record<string, unknown>
  const known = ['service', 'daemon', 'plugin']
  const given = 'id' in rest ? rest.id : typeof name === 'string' ? canonical(name).replaceAll(/\s+/g, '-') : name
  return {
    ...rest,
    ...defined({
      id: given,
      name: displayName ?? name,
      // `core` and `extension` are the dialect's words for a service that is always there and for a plugin.
      kind: rest.kind ?? (type === 'core' ? 'service' : type === 'extension' ? 'plugin' : type),
      category: category ?? (type === 'core' && !known.includes(String(type)) ? 'core' : undefined),
      provides: typeof provides === 'string' ? [provides] : provides,
      requires: requires ?? dependencies,
      config: isMap(config) ? schemaOf(config) : config,
      contributes: rest.contributes ?? contributed(cli),
      'x-author': author,
    }),
  }
}

/** Where the dialect writes what is at `path` in our words. */
export function seedPath(path: readonly string[]): readonly string[] {
  const [first, second, third, fourth] = path
  if (first === 'id') return ['name']
  if (first === 'name') return ['displayName']
  if (first === 'kind') return ['type']
  if (first === 'provides') return ['provides']
  if (first === 'requires') return ['dependencies', ...path.slice(1)]
  if (first === 'config' && second === 'properties') return ['config', ...path.slice(2)]
  if (first === 'contributes' && second === 'commands') {
    return ['cli', 'commands', ...[third, fourth === 'entry' ? 'executor' : fourth].filter((part) => part !== undefined)]
  }
  return path
}

function contributed(cli: unknown): unknown {
  if (!isMap(cli) || !Array.isArray(cli.commands)) return undefined
  const commands = cli.commands.map((command: unknown) => {
    if (!isMap(command)) return command
    const { executor, handler, subcommands: _subcommands, ...rest } = command
    return defined({ ...rest, entry: rest.entry ?? executor ?? handler })
  })
  return { commands }
}

// Plain values become defaults of a schema; a config that already is a schema stays.
function schemaOf(config: Record<string, unknown>): Record<string, unknown> {
  if (config.type === 'object' && isMap(config.properties)) return config
  const properties = Object.entries(config).map(([key, value]) => {
    const preset = interpolate(value)
    const type = Array.isArray(preset) ? 'array' : preset === null ? undefined : typeof preset
    return [key, defined({ type, default: preset })] as const
  })
  return { type: 'object', properties: Object.fromEntries(properties) }
}

/** `${NAME:-default}` → the environment's value, or the default. */
function interpolate(value: unknown): unknown {
  if (typeof value !== 'string') return value
  return value.replaceAll(/\$\{(\w+)(?::-([^}]*))?\}/g, (_, key: string, preset?: string) => process.env[key] ?? preset ?? '')
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function defined(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined))
}
