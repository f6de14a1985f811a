import { ModuleError } from '../errors.js'
import { canonical } from '../names.js'
import { semver } from '../on-demand.js'
import { parseDuration, parseSize } from '../units.js'
import { activationForms, parseActivation } from './activation.js'
import {
  type CommandOption,
  hostApi,
  type JsonSchema,
  type Manifest,
  type ManifestInput,
  type Provision,
  type Requirement,
} from './manifest.js'
import { manifestSchema } from './manifest-schema.js'
import { type LineOf, readText } from './manifest-text.js'
import { type Problem, problem } from './problem.js'
import { sentences } from './schema-errors.js'
import { compileSchema } from './schema-walk.js'
import { fromSeedDialect, isSeedDialect, seedPath } from './seed-dialect.js'

/** The result of reading a manifest: the normalised form, or every problem found. */
export type ManifestResult =
  | { readonly ok: true; readonly manifest: Manifest }
  | { readonly ok: false; readonly problems: readonly Problem[] }

/** Reads manifests. One reader per manager: it keeps the compiled schema. */
export class ManifestReader {
  readonly #check = compileSchema(manifestSchema)

  /** The text or the bytes of a `module.yaml` → manifest. Never throws; each problem has its line. */
  read(source: string | Uint8Array): ManifestResult {
    const text = readText(source)
    if (!text.ok) return text
    const result = this.normalise(text.value)
    if (result.ok) return result
    return { ok: false, problems: result.problems.map((found) => ({ ...found, line: lineIn(text.lineOf, found.path) })) }
  }

  /** A manifest written as an object → manifest. The seed documents' dialect is understood. */
  normalise(document: unknown): ManifestResult {
    if (typeof document !== 'object' || document === null || Array.isArray(document)) {
      return { ok: false, problems: [problem([], 'a manifest is a map with at least id and version')] }
    }
    // What is valid in our words is in no other's: theirs has keys that ours refuses, or lacks the id.
    let input: unknown = document
    let errors = this.#check(document)
    if (errors.length > 0 && isSeedDialect(document)) {
      input = fromSeedDialect(document)
      errors = this.#check(input)
    }
    if (errors.length > 0) return { ok: false, problems: sentences(errors) }
    const problems: Problem[] = []
    const manifest = build(input as ManifestInput, problems)
    return problems.length === 0 ? { ok: true, manifest } : { ok: false, problems }
  }

  /** As `normalise`, throwing one `BAD_MANIFEST` error with every problem. `where` names the source. */
  require(document: unknown, where: string): Manifest {
    const result = this.normalise(document)
    if (result.ok) return result.manifest
    throw badManifest(where, result.problems)
  }
}

/** One error for all problems of one manifest; `where` is its file or what it is the manifest of. */
export function badManifest(where: string, problems: readonly Problem[]): ModuleError {
  const sentence = ({ line, message }: Problem, i: number) => {
    const place = i === 0 ? `${where}${line === undefined ? '' : `:${line}`}: ` : line === undefined ? '' : `line ${line}: `
    return `${place}${message}`
  }
  const [first] = problems
  const details = first?.line === undefined ? {} : { file: where, line: first.line }
  return new ModuleError(first?.code ?? 'BAD_MANIFEST', problems.map(sentence).join('; '), details)
}

/** The line of a key, wherever its dialect writes it. */
export function lineIn(lineOf: LineOf, path: readonly string[]): number {
  const ours = lineOf(path)
  const theirs = lineOf(seedPath(path))
  return theirs.depth > ours.depth ? theirs.line : ours.line
}

/** `text-generation@^1` → a requirement; undefined when the range is no semver range. */
export function parseRequirement(text: string): Requirement | undefined {
  const at = text.indexOf('@')
  if (at < 0) return anyVersion(canonical(text))
  const range = text.slice(at + 1).trim()
  if (semver().validRange(range) === null) return undefined
  const capability = canonical(text.slice(0, at))
  return { capability, range: range === '' ? '*' : range, text: `${capability}@${range}` }
}

function anyVersion(capability: string): Requirement {
  return { capability, range: '*', text: capability }
}

// What most manifests leave out is shared: a thousand modules are a thousand manifests.
const none: readonly never[] = []
const noPermissions = { fs: none, net: none, child: false } as const
const noContributions: Manifest['contributes'] = { commands: [], console: {} }
const noMigrations: Manifest['migrations'] = []
const noExtra = {}
const defaultLimits = {
  loadTimeout: 30_000,
  startTimeout: 60_000,
  stopTimeout: 10_000,
  heartbeat: 15_000,
  restart: 'never',
  evictable: false,
} as const
const noResources = { ram: 0, vram: 0, gpu: 'none', device: 'auto', threads: 1 } as const

function build(input: ManifestInput, problems: Problem[]): Manifest {
  const id = input.id
  return {
    id,
    name: input.name ?? id,
    version: input.version,
    description: input.description ?? '',
    kind: input.kind ?? 'plugin',
    category: input.category ?? 'extension',
    api: input.api ?? hostApi,
    entry: input.entry === undefined ? './dist/index.js' : inside(['entry'], input.entry, input.runtime, problems),
    runtime: input.runtime ?? 'inproc',
    requires: input.requires ? requirements('requires', input.requires, id, problems) : none,
    optional: input.optional ? requirements('optional', input.optional, id, problems) : none,
    after: input.after?.map(canonical) ?? none,
    conflicts: input.conflicts?.map(canonical) ?? none,
    provides: input.provides ? provisions(input.provides, input.version) : none,
    cloud: input.cloud ?? false,
    resources: input.resources ? resources(input.resources, problems) : noResources,
    permissions: input.permissions ? { ...noPermissions, ...input.permissions } : noPermissions,
    lifecycle: input.lifecycle ? limits(input.lifecycle, problems) : defaultLimits,
    activation: input.activation ? activation(input.activation, problems) : none,
    config: input.config ? closedConfig(input.config) : undefined,
    configVersion: input.configVersion ?? 1,
    migrations: input.migrations ? migrationSteps(input, problems) : noMigrations,
    contributes: input.contributes ? contributions(input.contributes, problems) : noContributions,
    extra: extraOf(input),
  }
}

function activation(texts: readonly string[], problems: Problem[]): readonly string[] {
  texts.forEach((text, i) => {
    if (parseActivation(text)) return
    problems.push(problem(['activation', String(i)], `'activation' has '${text}'; write ${activationForms}`))
  })
  return texts
}

function extraOf(input: ManifestInput): Manifest['extra'] {
  for (const key in input) {
    if (key.startsWith('x-')) return Object.fromEntries(Object.entries(input).filter(([name]) => name.startsWith('x-')))
  }
  return noExtra
}

function requirements(key: string, texts: readonly string[], self: string, problems: Problem[]): readonly Requirement[] {
  const found = new Array<Requirement>(texts.length)
  for (let i = 0; i < texts.length; i++) {
    const requirement = parseRequirement(texts[i]!)
    if (requirement !== undefined && requirement.capability !== self) found[i] = requirement
    else problems.push(refusedRequirement([key, String(i)], texts[i]!, requirement))
  }
  return found
}

function refusedRequirement(path: [key: string, i: string], text: string, requirement: Requirement | undefined): Problem {
  const [key] = path
  const why = requirement
    ? `'${key}' names the module itself; remove '${text}'`
    : `'${key}' has '${text}', whose range is not semver; write it as name@^1`
  return { ...problem(path, why), key }
}

function provisions(entries: NonNullable<ManifestInput['provides']>, moduleVersion: string): Provision[] {
  const found = new Array<Provision>(entries.length)
  for (let i = 0; i < entries.length; i++) found[i] = provision(entries[i]!, moduleVersion)
  return found
}

function provision(entry: NonNullable<ManifestInput['provides']>[number], moduleVersion: string): Provision {
  if (typeof entry === 'string') return provided(canonical(entry), moduleVersion)
  const { capability, cardinality, priority } = entry
  return provided(
    canonical(capability),
    entry.version === undefined ? moduleVersion : fullVersion(entry.version),
    cardinality,
    priority,
  )
}

function provided(
  capability: string,
  version: string,
  cardinality: Provision['cardinality'] = 'exclusive',
  priority = 50,
): Provision {
  return { capability, version, cardinality, priority }
}

/** `1` or `1.2` → `1.0.0`, `1.2.0`. */
function fullVersion(version: string): string {
  return semver().valid(version) ?? semver().coerce(version)?.version ?? version
}

function resources(input: NonNullable<ManifestInput['resources']>, problems: Problem[]): Manifest['resources'] {
  const bytes = (key: 'ram' | 'vram') => {
    const size = parseSize(input[key] ?? 0)
    if (size === undefined) problems.push(problem(['resources', key], `'resources.${key}' is no size; write it as 512MB or 2GB`))
    return size ?? 0
  }
  const gpu = input.gpu === true ? 'required' : input.gpu === false ? 'none' : (input.gpu ?? 'none')
  const device = input.device ?? 'auto'
  if (device === 'cpu' && gpu === 'required') {
    const message = "'resources.device' is cpu, but 'resources.gpu' is required; take gpu: preferred, or another device"
    problems.push(problem(['resources', 'device'], message))
  }
  const vram = bytes('vram')
  return { ram: bytes('ram'), vram: device === 'cpu' ? 0 : vram, gpu, device, threads: input.threads ?? 1 }
}

function limits(input: NonNullable<ManifestInput['lifecycle']>, problems: Problem[]): Manifest['lifecycle'] {
  const ms = (key: 'loadTimeout' | 'startTimeout' | 'stopTimeout' | 'heartbeat') => {
    const given = input[key]
    const value = given === undefined ? defaultLimits[key] : parseDuration(given)
    if (value !== undefined && value > 0) return value
    problems.push(problem(['lifecycle', key], `'lifecycle.${key}' is no duration above 0; write it as 500ms, 30s or 2m`))
    return defaultLimits[key]
  }
  return {
    loadTimeout: ms('loadTimeout'),
    startTimeout: ms('startTimeout'),
    stopTimeout: ms('stopTimeout'),
    heartbeat: ms('heartbeat'),
    restart: input.restart ?? defaultLimits.restart,
    evictable: input.evictable ?? defaultLimits.evictable,
  }
}

// A config is closed unless its schema says otherwise, so that a mistyped key is found.
function closedConfig(schema: JsonSchema): JsonSchema {
  return 'additionalProperties' in schema ? schema : { ...schema, additionalProperties: false }
}

function migrationSteps({ migrations = [], configVersion = 1 }: ManifestInput, problems: Problem[]): Manifest['migrations'] {
  return migrations.map(({ to, rename = {}, remove = [], defaults = {} }, i) => {
    const refuse = (key: string, why: string) => problems.push(problem(['migrations', String(i), key], why))
    if (to > configVersion) refuse('to', `'migrations' leads to version ${to}, but 'configVersion' is ${configVersion}`)
    if (i > 0 && to <= migrations[i - 1]!.to) refuse('to', `'migrations' must be in ascending order, each 'to' once (got ${to})`)
    const names = { rename: [...Object.keys(rename), ...Object.values(rename)], remove, defaults: Object.keys(defaults) }
    for (const [key, paths] of Object.entries(names)) {
      const odd = paths.find((name) => name.split('.').some((part) => part === '' || part === '__proto__'))
      if (odd !== undefined) refuse(key, `'${odd}' is no name of a config key; write it as key, or as outer.inner`)
    }
    return { to, rename, remove, defaults }
  })
}

function contributions(input: NonNullable<ManifestInput['contributes']>, problems: Problem[]): Manifest['contributes'] {
  return {
    commands:
      input.commands?.map((command, i) => ({
        name: command.name,
        description: command.description ?? '',
        entry: inside(
          ['contributes', 'commands', String(i), 'entry'],
          command.entry ?? `./dist/cli/${command.name}.js`,
          'inproc',
          problems,
        ),
        options: (command.options ?? []) as readonly CommandOption[],
      })) ?? [],
    console: input.console ?? {},
  }
}

/** An entry is a file of the module: a path that leaves its folder is refused before any file is looked at. */
function inside(path: readonly string[], entry: string, runtime: Manifest['runtime'] | undefined, problems: Problem[]): string {
  // A remote module's entry is an address.
  if (runtime !== 'remote' && leaves(entry)) {
    const why = `'${path.join('.')}' must be a path inside the module's folder (got ${JSON.stringify(entry.slice(0, 80))})`
    problems.push(problem(path, why, { code: 'PATH_ESCAPE' }))
  }
  return entry
}

function leaves(entry: string): boolean {
  if (/^([/\\]|[a-z][a-z0-9+.-]*:)/i.test(entry)) return true
  let depth = 0
  for (const part of entry.split(/[/\\]/)) {
    if (part === '..') depth--
    else if (part !== '.' && part !== '') depth++
    if (depth < 0) return true
  }
  return false
}
