import { EngineError, type EngineErrorCode } from '../engine-error.js'
import { fieldsOf, textOf } from './json.js'

/** What a refusal says for itself: OpenAI's `{ error: { message, code } }`, other servers' `{ error }`, `{ message }`, `{ detail }`, or text. */
export interface Complaint {
  readonly message: string
  readonly code: string
}

export function complaintOf(body: string): Complaint {
  let json: unknown
  try {
    json = JSON.parse(body)
  } catch {
    return { message: firstLine(body), code: '' }
  }
  return complaintIn(json) ?? { message: firstLine(body), code: '' }
}

/** The complaint within an answer, or within an event of one; undefined where there is none. */
export function complaintIn(json: unknown): Complaint | undefined {
  const whole = fieldsOf(json)
  const error = whole.error ?? whole
  const { message, code, type } = fieldsOf(error)
  const text = textOf(error) ?? textOf(message) ?? textOf(whole.message) ?? textOf(whole.detail)
  return text === undefined ? undefined : { message: firstLine(text), code: textOf(code) ?? textOf(type) ?? '' }
}

interface Reading {
  readonly code: EngineErrorCode
  readonly when: (status: number, complaint: Complaint) => boolean
  readonly fix: string
}

const tooLong = /context.{0,20}(length|window|size)|(maximum|exceed\w*).{0,40}context|too many tokens|prompt.{0,20}too long/i

/** What is wrong, first match first. */
const readings: readonly Reading[] = [
  {
    code: 'CONTEXT_OVERFLOW',
    when: (status, { message, code }) =>
      code === 'context_length_exceeded' || status === 413 || (status < 500 && tooLong.test(message)),
    fix: 'Shorten the prompt.',
  },
  {
    code: 'UNAUTHORIZED',
    when: (status) => status === 401 || status === 403,
    fix: "Check the module's apiKey, and what it may use.",
  },
  {
    code: 'MODEL_NOT_FOUND',
    when: (status, { message, code }) => code === 'model_not_found' || (status === 404 && /model/i.test(message)),
    fix: "Give one that the server has as the module's model.",
  },
  {
    code: 'ENDPOINT_MISSING',
    when: (status) => status === 404 || status === 405,
    fix: "Check the module's baseUrl, which usually ends with /v1. Servers without /completions take texts as chats: { raw: 'chat' }.",
  },
  { code: 'RATE_LIMITED', when: (status) => status === 429, fix: 'Wait, or raise the limit of the account.' },
  { code: 'TIMEOUT', when: (status) => status === 408, fix: 'Ask again.' },
  { code: 'INVALID_OPTION', when: (status) => status >= 400 && status < 500, fix: 'Change what is named.' },
  { code: 'SERVER_ERROR', when: () => true, fix: 'Ask again later, or look at the log of the server.' },
]

/**
 * The error for an answer that is none. @param status of HTTP; 500 for a complaint within an answer
 * @param secret never shown, also where the server repeats it
 */
export function serverError(status: number, complaint: Complaint, server: string, secret: string | undefined): EngineError {
  const { code, fix } = readings.find(({ when }) => when(status, complaint))!
  const said = complaint.message === '' ? `status ${status}` : `${complaint.message} (status ${status})`
  const message = `${server} answers: ${said}`
  return new EngineError(code, `${secret ? message.replaceAll(secret, '(secret)') : message}. ${fix}`)
}

const firstLine = (text: string) => {
  const line = text.trim().split('\n')[0]!.replace(/\.$/, '')
  return line.length > 300 ? `${line.slice(0, 300)}…` : line
}
