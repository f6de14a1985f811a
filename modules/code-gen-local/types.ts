import type { CodeGeneration } from '@enigma/contracts'

/** Config of the module `code-gen-local`, checked against the schema in `module.yaml`. */
export interface CodeGenLocalConfig {
  readonly maxTokens: number
  readonly temperature: number
}

/** What `getInterface('code-gen-local')` answers. */
export type CodeGenLocal = CodeGeneration
