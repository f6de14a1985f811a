import { ModuleError } from '@enigma/kernel'
import type { FastifyError } from 'fastify'

// Every error leaves the server in OpenAI's shape, `{"error":{message,type,param,code}}`, with a status from these tables.

/** An error with the status and code that the client sees. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly param: string | null
  /** Seconds after which it is worth to ask again. */
  readonly retryAfter: number | undefined

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    { param = null, retryAfter }: { param?: string | null; retryAfter?: number } = {},
  ) {
    super(message)
    this.param = param
    this.retryAfter = retryAfter
  }
}

export interface ErrorBody {
  readonly error: {
    readonly message: string
    readonly type: string
    readonly param: string | null
    readonly code: string | null
    /** Modules that would do instead, and those in question. */
    readonly alternatives?: readonly string[]
    readonly modules?: readonly string[]
  }
}

/** OpenAI's word for a status. */
const types: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  409: 'conflict_error',
  429: 'rate_limit_error',
  500: 'server_error',
  501: 'not_implemented_error',
  502: 'server_error',
  503: 'overloaded_error',
}

/** Statuses of what generation refuses, by the error's code. What is missing is the request's fault: 400. */
const generationStatus: Readonly<Record<string, number>> = {
  CONTEXT_OVERFLOW: 413,
  QUEUE_FULL: 503,
  SERVICE_GONE: 503,
  MANAGER_CLOSED: 503,
  RUNTIME_FAILED: 500,
  ENGINE_CRASHED: 500,
  // What another server said, or did not: it is behind this one.
  RATE_LIMITED: 503,
  UNAUTHORIZED: 502,
  MODEL_NOT_FOUND: 502,
  ENDPOINT_MISSING: 502,
  REFUSED: 502,
  SERVER_ERROR: 502,
  UNREACHABLE: 502,
  DISCONNECTED: 502,
  BAD_RESPONSE: 502,
  TIMEOUT: 504,
}

/** Codes that OpenAI's clients know by another name. */
const codeNames: Readonly<Record<string, string>> = {
  CONTEXT_OVERFLOW: 'context_length_exceeded',
  SERVICE_GONE: 'model_unloaded',
}

/** What the module system refuses: mostly the state of things (409), seldom a name (404) or a value (400). */
const moduleStatus: Readonly<Record<string, number>> = {
  NOT_REGISTERED: 404,
  COMMAND_MISSING: 404,
  BAD_CONFIG: 400,
  BAD_AMOUNT: 400,
  TIMEOUT: 504,
  LOAD_FAILED: 500,
  START_FAILED: 500,
  CRASHED: 500,
  SERVICE_GONE: 503,
  QUEUE_FULL: 503,
  MANAGER_CLOSED: 503,
}

export interface Failure {
  readonly status: number
  readonly body: ErrorBody
  readonly retryAfter: number | undefined
}

/** What a client is told of anything thrown. Messages of bugs stay inside; the log has them. */
export function failureOf(error: unknown): Failure {
  if (error instanceof ApiError) return failure(error.status, error.message, error.code, error.param, error.retryAfter)
  if (error instanceof ModuleError) {
    const { code, message, alternatives, modules } = error
    const status = moduleStatus[code] ?? 409
    const { body, ...rest } = failure(status, message, codeNames[code] ?? code.toLowerCase())
    return { ...rest, body: { error: { ...body.error, alternatives, modules } } }
  }
  const { code, statusCode, validation, message } = error as Partial<FastifyError>
  if (validation) return failure(400, invalid(error as FastifyError), 'invalid_request', paramOf(validation[0]))
  if (statusCode !== undefined && statusCode < 500) return failure(statusCode, message ?? '', code ?? null)
  if (error instanceof Error && isCoded(error)) {
    const name = codeNames[error.code] ?? error.code.toLowerCase()
    return failure(generationStatus[error.code] ?? 400, error.message, name)
  }
  return failure(500, 'The server failed to answer this request; its log says why.', 'internal_error')
}

function failure(
  status: number,
  message: string,
  code: string | null,
  param: string | null = null,
  retryAfter = status === 503 ? 1 : undefined,
): Failure {
  const type = types[status] ?? (status < 500 ? 'invalid_request_error' : 'server_error')
  return { status, body: { error: { message, type, param, code } }, retryAfter }
}

const codedErrors = new Set(['LmError', 'TensorError', 'TrainingError', 'EngineError'])

/** Errors of the packages below have an upper-case code and a message for people; those of Node (`ENOENT`) are not for clients. */
function isCoded(error: Error): error is Error & { readonly code: string } {
  const { code } = error as { code?: unknown }
  return codedErrors.has(error.name) && typeof code === 'string'
}

type Problem = NonNullable<FastifyError['validation']>[number]

function paramOf(problem: Problem | undefined): string | null {
  if (!problem) return null
  const path = problem.instancePath.split('/').slice(1).join('.')
  const missing = (problem.params as { missingProperty?: unknown }).missingProperty
  return [path, typeof missing === 'string' ? missing : ''].filter(Boolean).join('.') || null
}

function invalid({ validation, message }: FastifyError): string {
  const [first] = validation ?? []
  const allowed = (first?.params as { allowedValues?: readonly unknown[] } | undefined)?.allowedValues
  return allowed ? `${message}: ${allowed.map(String).join(', ')}.` : `${message}.`
}
