import { Template } from '@huggingface/jinja'
import { LmError } from '../errors.js'
import { TimeLimit } from '../time-limit.js'
import { specialPattern } from '../tokenizer/special-tokens.js'
import { TokenBuffer } from '../tokenizer/token-buffer.js'
import type { Tokenizer } from '../tokenizer/tokenizer.js'

/** One message as templates see it. */
export interface TemplateMessage {
  readonly role: string
  readonly content: string
}

export interface RenderOptions {
  /** Whether the assistant's turn is opened at the end. Default false. */
  readonly addGenerationPrompt?: boolean
  /** What the template may offer to the model, in the shape it expects. */
  readonly tools?: readonly unknown[]
}

/** A part of a rendered conversation. */
export type ChatPart =
  | { readonly kind: 'text'; readonly text: string; readonly answer: boolean }
  | { readonly kind: 'special'; readonly token: string; readonly answer: boolean }

/** ChatML: what models trained here speak. */
export const chatMl =
  "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"

/** Around the number of a piece of content that must not be taken for a token; of Unicode's private use area. */
const [open, close] = ['\uE000', '\uE001']

/** What a template must know of a vocabulary; a `Tokenizer` does. */
export type TemplateTokens = Pick<Tokenizer, 'bosId' | 'eosId' | 'specialTokens' | 'idToToken' | 'tokenToId' | 'encodeInto'>

/** What a template may take for a conversation, in ms; a good one takes a hundredth of it. */
const longest = (messages: readonly TemplateMessage[]) => 1000 + messages.length

/** How a model writes conversations: the Jinja template of its folder, and the tokens that count as special. */
export class ChatTemplate {
  /** Parsed when it is used: a model whose template this cannot read still goes on with texts. */
  #template: Template | undefined
  readonly #names: { readonly bos_token?: string; readonly eos_token?: string }
  readonly #specials: readonly string[]
  readonly #tokenizer: TemplateTokens
  readonly #limit = new TimeLimit()

  /** @param source the template, as `chat_template` of a `tokenizer_config.json` has it */
  constructor(
    readonly source: string,
    tokenizer: TemplateTokens,
  ) {
    this.#tokenizer = tokenizer
    const nameOf = (id: number | undefined) => (id === undefined ? undefined : tokenizer.idToToken(id))
    const [bos, eos] = [nameOf(tokenizer.bosId), nameOf(tokenizer.eosId)]
    this.#names = { ...(bos !== undefined && { bos_token: bos }), ...(eos !== undefined && { eos_token: eos }) }
    this.#specials = [...tokenizer.specialTokens.values()]
  }

  /** The ids of a conversation. Special tokens that its content spells out stay text. @throws LmError TEMPLATE_INVALID */
  encode(messages: readonly TemplateMessage[], options: RenderOptions = {}): number[] {
    const { masked, restore } = this.#mask(messages)
    const ids = new TokenBuffer()
    const rendered = this.#limited(messages, () => this.#render(masked, options))
    for (const part of this.#split(rendered, restore, [])) this.#encodePart(part, ids)
    return Array.from(ids.ids)
  }

  /**
   * A conversation in parts, those that the assistant writes marked, its turn's end included: what a model learns to answer.
   * @param marked false leaves all unmarked, whatever the template
   * @throws LmError TEMPLATE_INVALID, also where the template does not let answers be told from the rest
   */
  parts(messages: readonly TemplateMessage[], marked = true): ChatPart[] {
    const { masked, restore } = this.#mask(messages)
    const whole = this.#render(masked, {})
    const answers = masked.flatMap(({ role }, index) => {
      if (role !== 'assistant' || !marked) return []
      const before = this.#render(masked.slice(0, index), { addGenerationPrompt: true })
      const after = this.#render(masked.slice(0, index + 1), {})
      if (whole.startsWith(before) && whole.startsWith(after)) return [{ start: before.length, end: after.trimEnd().length }]
      throw new LmError(
        'TEMPLATE_INVALID',
        "The model's chat template writes a turn differently when others follow, so its answers cannot be told from the rest. Train on the whole text with --no-sft.",
      )
    })
    return this.#split(whole, restore, answers)
  }

  /** The token that ends the assistant's turn; undefined where no token does, or the template does not tell. */
  get turnEnd(): number | undefined {
    try {
      const turns = [
        { role: 'user', content: 'a' },
        { role: 'assistant', content: 'b' },
      ]
      const answer = this.#limited(turns, () => this.parts(turns)).filter((part) => part.answer)
      const last = answer.at(-1)
      return last?.kind === 'special' ? this.#tokenizer.tokenToId(last.token) : undefined
    } catch (error) {
      if (error instanceof LmError) return undefined
      throw error
    }
  }

  /** Templates come with models from anywhere. Training data are rendered without: there the limit would cost more than the template. */
  #limited<T>(messages: readonly TemplateMessage[], run: () => T): T {
    const message = `The model's chat template takes longer than ${longest(messages)} ms for this conversation`
    return this.#limit.within(longest(messages), run, (cause) => new LmError('TEMPLATE_INVALID', message, { cause }))
  }

  #render(messages: readonly TemplateMessage[], { addGenerationPrompt = false, tools }: RenderOptions): string {
    const template = (this.#template ??= parsed(this.source))
    try {
      return template.render({
        messages: messages.map((message) => ({ ...message })),
        add_generation_prompt: addGenerationPrompt,
        ...this.#names,
        ...(tools && { tools: [...tools] }),
      })
    } catch (error) {
      throw new LmError('TEMPLATE_INVALID', `The model's chat template refuses this conversation: ${reason(error)}`, {
        cause: error,
      })
    }
  }

  /** Content in which nothing can be taken for a special token, and what its stand-ins stand for. */
  #mask(messages: readonly TemplateMessage[]): { masked: TemplateMessage[]; restore: readonly string[] } {
    const pattern = specialPattern([...this.#specials, open, close])!
    const restore: string[] = []
    const stand = (text: string) => text.replace(pattern, (found) => `${open}${restore.push(found) - 1}${close}`)
    const masked = messages.map((message) => ({
      ...(deepMap(message, stand) as TemplateMessage),
      role: message.role,
    }))
    return { masked, restore }
  }

  #split(
    rendered: string,
    restore: readonly string[],
    answers: readonly { readonly start: number; readonly end: number }[],
  ): ChatPart[] {
    const borders = [...new Set([0, ...answers.flatMap(({ start, end }) => [start, end]), rendered.length])].sort((a, b) => a - b)
    return borders.slice(1).flatMap((end, index) => {
      const start = borders[index]!
      const answer = answers.some((span) => span.start <= start && end <= span.end)
      return this.#splitSpecials(rendered.slice(start, end), restore, answer)
    })
  }

  #splitSpecials(rendered: string, restore: readonly string[], answer: boolean): ChatPart[] {
    const specials = specialPattern(this.#specials)
    const unmasked = (text: string) =>
      text.replace(new RegExp(`${open}(\\d+)${close}`, 'g'), (_, index) => restore[Number(index)]!)
    const parts: ChatPart[] = []
    let at = 0
    const text = (end: number) => {
      if (end > at) parts.push({ kind: 'text', text: unmasked(rendered.slice(at, end)), answer })
    }
    for (const found of specials ? rendered.matchAll(specials) : []) {
      text(found.index)
      parts.push({ kind: 'special', token: found[0], answer })
      at = found.index + found[0].length
    }
    text(rendered.length)
    return parts
  }

  #encodePart(part: ChatPart, ids: TokenBuffer): void {
    if (part.kind === 'text') this.#tokenizer.encodeInto(part.text, ids)
    else ids.push(this.#tokenizer.tokenToId(part.token)!)
  }
}

function parsed(source: string): Template {
  try {
    return new Template(source)
  } catch (error) {
    throw new LmError('TEMPLATE_INVALID', `The model's chat template cannot be read: ${reason(error)}`, { cause: error })
  }
}

/** All strings within a value, calls of tools and their arguments included, changed. */
function deepMap(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value)
  if (Array.isArray(value)) return value.map((item) => deepMap(item, change))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, deepMap(inner, change)]))
}

const reason = (error: unknown) => (error instanceof Error ? error.message : String(error))
