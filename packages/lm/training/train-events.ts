/** What a training run tells while it runs. */
export type TrainEvent =
  | { readonly type: 'warning'; readonly message: string }
  | { readonly type: 'phase'; readonly phase: 'tokenizer' | 'tokens' | 'compile' | 'train'; readonly message: string }
  | TrainStart
  | TrainReport
  | TrainValidation
  /** Epochs count from 0. A batch may span two: the next epoch starts with the step that reaches it. */
  | { readonly type: 'epoch-start'; readonly epoch: number; readonly step: number }
  /** `loss`: mean over the epoch's steps, or over those since the run went on, in nats per token. The last one ends with the run. */
  | { readonly type: 'epoch-end'; readonly epoch: number; readonly step: number; readonly loss: number }
  /** The run ends, early or not, with the weights of step `best`, whose validation loss was the lowest. */
  | { readonly type: 'best'; readonly step: number; readonly best: number; readonly loss: number }
  | { readonly type: 'sample'; readonly step: number; readonly text: string }
  | { readonly type: 'checkpoint'; readonly step: number; readonly folder: string }

export interface TrainStart {
  readonly type: 'start'
  readonly parameters: number
  readonly steps: number
  /** Steps done by an earlier part of the run. */
  readonly step: number
  /** Tokens of training text. */
  readonly tokens: number
  readonly resumed: boolean
}

export interface TrainReport {
  readonly type: 'report'
  readonly step: number
  /** Mean training loss since the last report, in nats per token. */
  readonly loss: number
  /** The same loss per byte of text, in bits: comparable between tokenizers. */
  readonly bitsPerByte: number
  readonly learningRate: number
  readonly tokensPerSecond: number
  readonly gradNorm: number
  /** Tokens trained on so far. */
  readonly tokens: number
  readonly etaSeconds: number
}

export interface TrainValidation {
  readonly type: 'validation'
  readonly step: number
  /** Nats per token. */
  readonly loss: number
  readonly bitsPerByte: number
}

export interface TrainResult {
  readonly folder: string
  readonly step: number
  readonly steps: number
  /** Ended by the signal: a checkpoint was left, no final model. */
  readonly stopped: boolean
  /** Last training loss, in nats per token. */
  readonly loss: number
  /** Of the last validation; null without one. */
  readonly bitsPerByte: number | null
  readonly seconds: number
  readonly tokens: number
}
