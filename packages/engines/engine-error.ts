/** What can go wrong with an engine; the message names the thing and the fix. */
export type EngineErrorCode =
  // the request
  | 'INVALID_OPTION'
  | 'UNSUPPORTED'
  | 'CONTEXT_OVERFLOW'
  // a server
  | 'UNAUTHORIZED'
  | 'MODEL_NOT_FOUND'
  | 'ENDPOINT_MISSING'
  | 'RATE_LIMITED'
  | 'REFUSED'
  | 'SERVER_ERROR'
  | 'UNREACHABLE'
  | 'DISCONNECTED'
  | 'TIMEOUT'
  | 'BAD_RESPONSE'
  // a program of its own
  | 'NOT_INSTALLED'
  | 'FILE_NOT_FOUND'
  | 'MODEL_UNREADABLE'
  | 'ENGINE_CRASHED'

/** The one error of this package and of the engines that use it. `code` is for programs, `message` for people. */
export class EngineError extends Error {
  override readonly name = 'EngineError'
  constructor(
    readonly code: EngineErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}
