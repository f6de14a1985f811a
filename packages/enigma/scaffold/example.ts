import type { ModuleInfo } from '@enigma/kernel'

/** What the files that modules of all languages have tell of one. */
export interface Told {
  readonly description: string
  /** A property of the config's schema, in YAML. */
  readonly schema: string
  /** In the integration test, with `manager` and `api`: how it is loaded, used, and what `status` says then. */
  readonly given: string
  readonly use: string
  readonly status: string
}

/** What a new module of one kind does: the part of its files that no other kind has. */
export interface Example extends Told {
  /** The file and, in capitals, the class of its logic. */
  readonly part: string
  /** A property of the config's type. */
  readonly config: string
  /** Members of the interface beside `status(): string`. */
  readonly members: string
  /** Members of the module's definition. */
  readonly body: string
  /** The class, in both languages. */
  readonly javascript: string
  readonly typescript: string
  readonly unitTest: string
}

export interface NewModule<Of extends Told = Example> {
  readonly id: string
  readonly kind: ModuleInfo['kind']
  readonly example: Of
}

/** What runs, as the manifest names it. */
export interface Code {
  readonly entry: string
  readonly runtime?: 'process'
  readonly command: string
}

/** Texts by path. */
export type ModuleFiles = Readonly<Record<string, string>>
