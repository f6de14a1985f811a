import type { ModuleInfo } from '@enigma/kernel'

/** What a new module of one kind does: the part of its files that no other kind has. */
export interface Example {
  /** The file and, in capitals, the class of its logic. */
  readonly part: string
  readonly description: string
  /** A property of the config's schema, in YAML, and of the config's type. */
  readonly schema: string
  readonly config: string
  /** Members of the interface beside `status(): string`. */
  readonly members: string
  /** Members of the module's definition. */
  readonly body: string
  /** The class, in both languages. */
  readonly javascript: string
  readonly typescript: string
  readonly unitTest: string
  /** In the integration test, with `manager` and `api`: how it is loaded, used, and what `status` says then. */
  readonly given: string
  readonly use: string
  readonly status: string
}

export interface NewModule {
  readonly id: string
  readonly kind: ModuleInfo['kind']
  readonly example: Example
}

/** Texts by path. */
export type ModuleFiles = Readonly<Record<string, string>>
