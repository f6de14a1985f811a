import type { Constraint } from './resolver/constraint.js'

/** What can go wrong in the module system; a message names the thing and the fix. */
export type ModuleErrorCode =
  | 'NOT_REGISTERED'
  | 'BROKEN_MANIFEST'
  | 'BAD_MANIFEST'
  | 'DUPLICATE_ID'
  | 'ENTRY_MISSING'
  | 'PATH_ESCAPE'
  | 'BAD_MODULE'
  | 'BUNDLE_FAILED'
  | 'WATCH_FAILED'
  | 'BAD_ID'
  | 'FOLDER_EXISTS'
  | 'DISABLED'
  | 'API_MISMATCH'
  | 'RUNTIME_UNSUPPORTED'
  | 'CLOUD_REFUSED'
  | 'NO_GPU'
  | 'NO_VRAM'
  | 'NO_RAM'
  | 'CONFLICT'
  | 'CAPABILITY_TAKEN'
  | 'REQUIREMENT_MISSING'
  | 'NO_PROVIDER'
  | 'CYCLE'
  | 'TOO_COMPLEX'
  | 'BAD_CONFIG'
  | 'ALREADY_LOADED'
  | 'CONFIG_NEEDS_RESTART'
  | 'NOT_LOADED'
  | 'ILLEGAL_TRANSITION'
  | 'REQUIRED_BY'
  | 'LOAD_FAILED'
  | 'START_FAILED'
  | 'STOP_FAILED'
  | 'UNLOAD_FAILED'
  | 'CRASHED'
  | 'SWAP_REFUSED'
  | 'TIMEOUT'
  | 'STUCK'
  | 'CANCELLED'
  | 'SERVICE_GONE'
  | 'SERVICE_UNDECLARED'
  | 'SERVICE_MISSING'
  | 'SERVICE_TAKEN'
  | 'CONTEXT_CLOSED'
  | 'SCOPE_FAILED'
  | 'BAD_SAVED_SET'
  | 'SECRET_UNREADABLE'
  | 'INTEGRITY'
  | 'CONSENT_NEEDED'
  | 'BAD_CONSENTS'
  | 'INSTALL_FAILED'
  | 'BAD_SUBSCRIPTION'
  | 'QUEUE_FULL'
  | 'HOOK_FAILED'
  | 'COMMAND_MISSING'
  | 'MANAGER_CLOSED'
  | 'QUARANTINED'
  | 'QUARANTINE_FILE'
  | 'BAD_AMOUNT'
  | 'NOT_TRANSFERABLE'
  | 'BAD_MESSAGE'

/** What a `ModuleError` may carry beside its sentence. */
export interface ModuleErrorDetails {
  /** The module the error is about. */
  module?: string | undefined
  /** What failed underneath. */
  cause?: unknown
  /** Modules that would do instead. */
  alternatives?: readonly string[] | undefined
  /** The modules in question: dependents, the cycle, the chain of requirements. */
  modules?: readonly string[] | undefined
  /** Why a plan was refused, in full. */
  because?: readonly Constraint[] | undefined
  /** The file in which something is wrong, and the line, from 1. */
  file?: string | undefined
  line?: number | undefined
}

/** The one error of this package. `code` is for programs, `message` for people: it names the thing and the fix. */
export class ModuleError extends Error {
  override readonly name: string = 'ModuleError'
  readonly module: string | undefined
  readonly alternatives: readonly string[]
  readonly modules: readonly string[]
  readonly because: readonly Constraint[]
  readonly file: string | undefined
  readonly line: number | undefined

  constructor(
    readonly code: ModuleErrorCode,
    message: string,
    details: ModuleErrorDetails = {},
  ) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined)
    this.module = details.module
    this.alternatives = details.alternatives ?? []
    this.modules = details.modules ?? []
    this.because = details.because ?? []
    this.file = details.file
    this.line = details.line
  }
}

/** Thrown by a service handle whose module is no longer loaded. */
export class ServiceGone extends ModuleError {
  override readonly name = 'ServiceGone'

  constructor(module: string, why: string) {
    super('SERVICE_GONE', `The service of module '${module}' is gone: ${why}. Load '${module}' and take the service again.`, {
      module,
    })
  }
}

/** The text of anything thrown. */
export function messageOf(error: unknown): string {
  try {
    if (error instanceof Error) return String(error.message)
    return typeof error === 'string' ? error : (JSON.stringify(error) ?? String(error))
  } catch {
    return 'something that cannot be written down was thrown' // a cycle, a hostile getter
  }
}
