import { token } from '@enigma/kernel'

declare const opaque: unique symbol

/** A loaded model as its package knows it: opaque to everyone else, who only pass it on. */
export interface ModelHandle {
  readonly [opaque]: 'language-model'
}

/** The language model that is loaded. */
export interface LanguageModelService {
  readonly name: string
  /** Where its files are. */
  readonly folder: string
  /** Preset it was made with, `tiny`. */
  readonly size?: string
  /** Weights, a count; tied ones once. */
  readonly parameters: number
  readonly vocabSize: number
  /** Positions the model can see at once. */
  readonly contextLength: number
  /** The model's `config.json`. */
  readonly config: Readonly<Record<string, unknown>>
  readonly handle: ModelHandle
}

export const LanguageModel = token<LanguageModelService>('language-model', '1.0')
