import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isMap, JsonFile } from '../config/json-file.js'
import { ModuleError, messageOf } from '../errors.js'
import { isTypeScript } from '../hot-reload/source-file.js'
import { type Manifest, runtimes } from '../manifest/manifest.js'
import { isJavaScript } from '../runtimes/sandbox/languages.js'
import type { Fingerprint } from './fingerprint.js'

// What a person has agreed to: `consent.json` in the folder of installed modules.

/** What a module may do. What it asks for beyond this needs consent again. */
export interface Permissions {
  readonly fs: readonly string[]
  readonly net: readonly string[]
  readonly child: boolean
  readonly cloud: boolean
  /** Runs as a program in another language, which only bubblewrap holds to anything. */
  readonly program: boolean
}

export interface Consent {
  readonly id: string
  /** As given to `add`: an npm name with its range, or an absolute path. */
  readonly source: string
  readonly version: string
  /** Of all files in the module's own folder, `<home>/<id>`. */
  readonly fingerprint: Fingerprint
  /** The module's folder in there, where its `module.yaml` lies. */
  readonly folder: string
  readonly permissions: Permissions
  /** Where it runs. */
  readonly runtime: Manifest['runtime']
  /** Whether the person lets it run as its manifest says, inside the program. */
  readonly trusted: boolean
  /** ISO 8601. */
  readonly at: string
}

export type Consents = ReadonlyMap<string, Consent>

export function permissionsOf({ permissions: { fs, net, child }, cloud, runtime, entry }: Manifest): Permissions {
  const elsewhere = runtime === 'remote'
  return {
    fs,
    net: elsewhere ? [...net, entry] : net,
    child,
    cloud: cloud !== false,
    program: !elsewhere && runtime !== 'wasm' && !isJavaScript(entry) && !isTypeScript(entry),
  }
}

/** What a module asks for that was not agreed to, in words; empty when it stays within. */
export function growthOf(agreed: Permissions, asked: Permissions): string[] {
  const news = (what: string, before: readonly string[], now: readonly string[]) => {
    const more = now.filter((entry) => !before.includes(entry))
    return more.length > 0 ? [`${what} ${more.join(', ')}`] : []
  }
  return [
    ...news('files', agreed.fs, asked.fs),
    ...news('network', agreed.net, asked.net),
    ...(asked.child && !agreed.child ? ['starting programs'] : []),
    ...(asked.program && !agreed.program ? ['running a program that is not JavaScript'] : []),
    ...(asked.cloud && !agreed.cloud ? ['sending data to a cloud service'] : []),
  ]
}

const words = { name: 'The record of consents', fix: 'Remove it, and add the modules again.' }

export function consentFile(home: string): string {
  return join(home, 'consent.json')
}

/** Empty where nothing was installed. @throws ModuleError `BAD_CONSENTS` with file and line */
export async function readConsents(home: string): Promise<Consents> {
  const path = consentFile(home)
  if (!existsSync(path)) return new Map()
  const file = await JsonFile.read(path, 'BAD_CONSENTS', words)
  const { modules } = file.parse()
  if (!isMap(modules)) throw file.malformed("'modules' is missing")
  return new Map(Object.entries(modules).map(([id, entry]) => [id, consentIn(file, id, entry)]))
}

/** Written aside, flushed and renamed; only the user may read it. @throws ModuleError `INSTALL_FAILED` */
export async function writeConsents(home: string, consents: Consents): Promise<void> {
  const path = consentFile(home)
  const modules = Object.fromEntries([...consents].map(([id, { id: _id, ...rest }]) => [id, rest]))
  const aside = `${path}.${randomUUID().slice(0, 8)}.tmp`
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await writeFile(aside, `${JSON.stringify({ version: 1, modules }, null, 2)}\n`, { mode: 0o600, flush: true })
    await rename(aside, path)
  } catch (cause) {
    await rm(aside, { force: true })
    throw new ModuleError('INSTALL_FAILED', `${path} could not be written: ${messageOf(cause)}`, { cause })
  }
}

function consentIn(file: JsonFile, id: string, entry: unknown): Consent {
  const wrong = (what: string) => file.malformed(`${what} of '${id}' is wrong`, id)
  if (!/^[a-z0-9][a-z0-9-]*$/.test(id) || !isMap(entry))
    throw file.malformed(`${JSON.stringify(id)} is no record of a module`, id)
  const { source, version, fingerprint, folder, permissions, runtime, trusted, at } = entry
  if (!isText(source) || !isText(version) || !isText(at)) throw wrong('the source, version or date')
  if (!isText(folder) || folder.split(/[/\\]/).includes('..')) throw wrong('the folder')
  if (!isMap(fingerprint) || !isText(fingerprint.integrity) || !isMap(fingerprint.files)) throw wrong('the fingerprint')
  if (!Object.values(fingerprint.files).every(isText)) throw wrong('the fingerprint')
  const { fs, net, child, cloud, program } = isMap(permissions) ? permissions : {}
  if (!isTexts(fs) || !isTexts(net) || typeof child !== 'boolean' || typeof cloud !== 'boolean') throw wrong('the permissions')
  const known = runtimes.find((name) => name === runtime)
  if (known === undefined || typeof trusted !== 'boolean') throw wrong('the runtime')
  return {
    id,
    source,
    version,
    fingerprint: { integrity: fingerprint.integrity, files: fingerprint.files as Fingerprint['files'] },
    folder,
    // Earlier records do not say it; they are held to their files.
    permissions: { fs, net, child, cloud, program: program !== false },
    runtime: known,
    trusted,
    at,
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(isText)
}
