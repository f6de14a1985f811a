import type { Completion, FinishReason } from '@enigma/contracts'
import { EngineError } from '../engine-error.js'
import type { Answer } from '../text-service.js'
import { countOf, fieldsOf, listOf, textOf } from './json.js'

type TokenLogprob = NonNullable<Completion['logprobs']>['content'][number]

const finishReasons: Readonly<Record<string, FinishReason>> = {
  stop: 'stop',
  eos: 'stop',
  length: 'length',
  tool_calls: 'tool_calls',
  function_call: 'tool_calls',
}

/** Makes one answer of the events of a server, chats and texts alike. */
export class AnswerFold {
  readonly #server: string
  readonly #started = performance.now()
  #first: number | undefined
  #text = ''
  /** Half a character that the other half must follow. */
  #half = ''
  #pieces = 0
  #finish: string | undefined
  #usage: Readonly<Record<string, unknown>> = {}
  readonly #logprobs: TokenLogprob[] = []

  /** @param server for messages */
  constructor(server: string) {
    this.#server = server
  }

  /** The new text that an event brings, whole characters only; often ''. */
  push(event: unknown): string {
    const { choices, usage } = fieldsOf(event)
    if (usage) this.#usage = fieldsOf(usage)
    const choice = fieldsOf(listOf(choices)[0])
    this.#finish = textOf(choice.finish_reason) ?? this.#finish
    this.#logprobs.push(...(listOf(fieldsOf(choice.logprobs).content) as TokenLogprob[]))
    const fresh = textOf(fieldsOf(choice.delta ?? choice.message).content) ?? textOf(choice.text) ?? ''
    if (fresh === '') return ''
    this.#first ??= performance.now()
    this.#pieces++
    return this.#give(fresh)
  }

  /** @throws EngineError DISCONNECTED when it broke off, REFUSED when the server's filter ended it */
  end(): { readonly rest: string; readonly answer: Answer } {
    if (this.#finish === undefined)
      throw new EngineError('DISCONNECTED', `${this.#server} ended its answer in the middle. Ask again.`)
    if (this.#finish === 'content_filter')
      throw new EngineError('REFUSED', `${this.#server} holds back the answer (content_filter). Ask for something else.`)
    const rest = this.#half === '' ? '' : '\ufffd'
    this.#text += rest
    // Not every server counts; then each piece is taken for a token.
    const tokens = countOf(this.#usage.completion_tokens) ?? this.#pieces
    const seconds = (performance.now() - (this.#pieces > 1 ? this.#first! : this.#started)) / 1000
    return {
      rest,
      answer: {
        text: this.#text,
        tokens,
        promptTokens: countOf(this.#usage.prompt_tokens) ?? 0,
        tokensPerSecond: seconds > 0 ? tokens / seconds : 0,
        finishReason: finishReasons[this.#finish] ?? 'stop',
        ...(this.#logprobs.length > 0 && { logprobs: { content: this.#logprobs } }),
      },
    }
  }

  #give(fresh: string): string {
    const whole = this.#half + fresh
    const cut = /[\ud800-\udbff]$/.test(whole) ? whole.length - 1 : whole.length
    this.#half = whole.slice(cut)
    const text = whole.slice(0, cut)
    this.#text += text
    return text
  }
}
