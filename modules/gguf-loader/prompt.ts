import type { AnswerRequest, Ask } from '@enigma/engines'
import { type ChatTemplate, chatPrompt, defaultMaxTokens, fitPrompt, LmError, templatedPrompt } from '@enigma/lm'
import type { LlamaModel } from './llama-library.js'
import type { LlamaVocabulary } from './llama-vocabulary.js'

/** What a model is asked in. */
export interface PromptRules {
  readonly vocabulary: LlamaVocabulary
  readonly template: ChatTemplate | undefined
  readonly tokens: LlamaModel['tokens']
  /** Tokens. */
  readonly context: number
}

export interface Prompt {
  readonly tokens: number[]
  /** Tokens that `truncate` left out. */
  readonly droppedTokens: number
  /** Messages that did not fit, and whether the last one's beginning did not. */
  readonly dropped: number
  readonly trimmed: boolean
}

/**
 * The tokens of what is asked, as the module `inference` would make them.
 * @throws LmError CONTEXT_OVERFLOW, EMPTY_PROMPT, TEMPLATE_INVALID, INFILL_UNSUPPORTED
 */
export function promptOf(ask: Ask, options: AnswerRequest['options'], rules: PromptRules): Prompt {
  const { tokens, context } = rules
  const { ids, dropped, trimmed } = asked(ask, options, rules)
  const start = tokens.shouldPrependBosToken && ids[0] !== tokens.bos ? tokens.bos : null
  // A gap's marks stand at its ends: nothing may be cut off there.
  const settings = ask.kind === 'infill' ? { ...options, truncate: 'never' as const } : options
  const fitted = fitPrompt(ids, start, context, settings)
  if (fitted.tokens.length === 0)
    throw new LmError('EMPTY_PROMPT', 'The prompt is empty and the model has no start token. Give a prompt.')
  return { tokens: fitted.tokens, droppedTokens: fitted.dropped, dropped, trimmed }
}

function asked(
  ask: Ask,
  { maxTokens = defaultMaxTokens }: AnswerRequest['options'],
  { vocabulary, template, tokens, context }: PromptRules,
): { ids: readonly number[]; dropped: number; trimmed: boolean } {
  const whole = (ids: readonly number[]) => ({ ids, dropped: 0, trimmed: false })
  switch (ask.kind) {
    case 'text':
      return whole(vocabulary.encode(ask.prompt))
    case 'infill': {
      const { prefix, suffix, middle } = tokens.infill
      if (prefix === null || suffix === null || middle === null)
        throw new LmError('INFILL_UNSUPPORTED', 'The model has no tokens to mark a gap between two texts. Ask without a suffix.')
      return whole([prefix, ...vocabulary.encode(ask.prefix), suffix, ...vocabulary.encode(ask.suffix), middle])
    }
    case 'chat': {
      const room = context - Math.min(maxTokens, Math.floor(context / 2)) - 1
      const { prompt, dropped, trimmed } = template
        ? templatedPrompt(ask.messages, (kept) => template.encode(kept, { addGenerationPrompt: true }), room)
        : chatPrompt(ask.messages, (text) => vocabulary.encode(text).length <= room)
      return { ids: typeof prompt === 'string' ? vocabulary.encode(prompt) : prompt, dropped, trimmed }
    }
  }
}
