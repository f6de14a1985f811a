import type { ChatMessage, Completion, GenerateOptions, TextGeneration } from 'enigma'

interface ChatStats {
  readonly answers: number
  readonly tokens: number
  /** Of the last answer; 0 before the first. */
  readonly tokensPerSecond: number
  /** Messages that are sent along with the next question. */
  readonly messages: number
}

/** What was said, and asking for the next answer. */
export class Conversation {
  readonly #engine: TextGeneration
  readonly #options: GenerateOptions
  #messages: ChatMessage[] = []
  #system: string | undefined
  #answers = 0
  #tokens = 0
  #tokensPerSecond = 0

  constructor(engine: TextGeneration, options: GenerateOptions) {
    this.#engine = engine
    this.#options = options
  }

  get model(): string {
    return this.#engine.model
  }

  get system(): string | undefined {
    return this.#system
  }

  set system(text: string | undefined) {
    this.#system = text || undefined
  }

  get stats(): ChatStats {
    return {
      answers: this.#answers,
      tokens: this.#tokens,
      tokensPerSecond: this.#tokensPerSecond,
      messages: this.#messages.length,
    }
  }

  /** Forgets what was said; the system text stays. */
  clear(): void {
    this.#messages = []
  }

  /** Asks, passes on the answer as it comes, and remembers both. A question that got no answer is forgotten. */
  async ask(question: string, onPiece: (piece: string) => void, signal?: AbortSignal): Promise<Completion> {
    const system: ChatMessage[] = this.#system === undefined ? [] : [{ role: 'system', content: this.#system }]
    const asked: ChatMessage[] = [...this.#messages, { role: 'user', content: question }]
    const stream = this.#engine.streamChat([...system, ...asked], { ...this.#options, ...(signal && { signal }) })
    for await (const piece of stream) onPiece(piece)
    const completion = await stream.result
    if (completion.text !== '') this.#messages = [...asked, { role: 'assistant', content: completion.text }]
    this.#answers++
    this.#tokens += completion.tokens
    this.#tokensPerSecond = completion.tokensPerSecond
    return completion
  }
}
