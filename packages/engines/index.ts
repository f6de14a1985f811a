// What engines behind `text-generation` have in common: requests, streams, events, errors; and the client of OpenAI-compatible servers.

export { codeCommand } from './code-command.js'
export { CodeService } from './code-service.js'
export { EngineError, type EngineErrorCode } from './engine-error.js'
export { OpenAiEngine, type OpenAiEngineOptions } from './openai/openai-engine.js'
export { PieceStream } from './piece-stream.js'
export {
  type Answer,
  type AnswerRequest,
  type Ask,
  type EngineEvents,
  type ServiceStatus,
  TextService,
  type TextServiceOptions,
  type TextSource,
} from './text-service.js'
