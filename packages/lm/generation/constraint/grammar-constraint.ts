import { LmError } from '../../errors.js'
import type { TokenConstraint } from '../sequence-generation.js'
import type { Grammar } from './grammar.js'
import type { Language } from './language.js'

/** Bytes of a value that is spelled out only to count its tokens. */
const longestPlan = 10_000
/** Tokens of such a value that are counted even where there is room for fewer. */
const mostCounted = 1000

/**
 * Keeps one text within a grammar and sees to it that the text is complete in time: a token is allowed if what it leaves open can be closed with the tokens that
 * remain. Each byte can be a token of its own, so bytes to the end are tokens to the end; where they are too many, the shortest known way stays open.
 */
export class GrammarConstraint implements TokenConstraint {
  readonly #grammar: Grammar
  readonly #eosIds: readonly number[]
  readonly #bytesOf: (token: number) => Uint8Array
  #state: Language
  /** Tokens that complete the text within the budget, where they are known. */
  #plan: readonly number[] | undefined

  /**
   * @param budget tokens at most
   * @throws LmError BUDGET_TOO_SMALL when no value can be written with them
   */
  constructor(grammar: Grammar, eosIds: readonly number[], budget: number, bytesOf: (token: number) => Uint8Array) {
    this.#grammar = grammar
    this.#eosIds = eosIds
    this.#bytesOf = bytesOf
    this.#state = grammar.start
    const bytes = grammar.bytesToEnd(grammar.start)
    const least = Math.ceil(bytes / grammar.vocabulary.longest)
    if (bytes > longestPlan && least > budget) throw tooSmall(`at least ${least}`, budget)
    const shortest = grammar.shortest(grammar.start)
    const counted = Math.max(budget, mostCounted)
    this.#plan = shortest.length <= budget ? shortest : grammar.quickest(grammar.start, counted)
    if (!this.#plan) throw tooSmall(`more than ${counted}`, budget)
    if (this.#plan.length > budget) throw tooSmall(String(this.#plan.length), budget)
  }

  get complete(): boolean {
    return this.#grammar.ended(this.#state)
  }

  mask(logits: Float32Array, remaining: number): void {
    const { tokens, after, longest } = this.#grammar.allowed(this.#state)
    const room = remaining - 1
    const tight = longest > room
    if (tight) this.#plan ??= this.#grammar.shortest(this.#state)
    const head = this.#plan?.[0]
    const given = logits.slice()
    logits.fill(Number.NEGATIVE_INFINITY)
    for (let index = 0; index < tokens.length; index++) {
      const token = tokens[index]!
      if (!tight || token === head || this.#grammar.bytesToEnd(after[index]!) <= room) logits[token] = given[token]!
    }
    if (this.#state.mayEnd) for (const token of this.#eosIds) logits[token] = given[token]!
  }

  push(token: number): void {
    this.#plan = this.#plan?.[0] === token ? this.#plan.slice(1) : undefined
    this.#state = this.#grammar.after(this.#state, this.#bytesOf(token))
  }
}

function tooSmall(tokens: string, budget: number): LmError {
  return new LmError(
    'BUDGET_TOO_SMALL',
    `The shortest value of the JSON schema takes ${tokens} tokens; there is room for ${budget}. Raise maxTokens or shorten the prompt.`,
  )
}
