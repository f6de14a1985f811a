import type { Tensor } from '../tensor.js'

export interface CrossEntropyOptions {
  /** Rows with this target do not count. Default -100, as in PyTorch. */
  readonly ignoreIndex?: number
}

/**
 * Mean cross-entropy in nats of logits [N, classes] against class indices i64 [N]. A target outside 0…classes-1 that is not
 * `ignoreIndex` is never taken for another class: a negative one makes the loss NaN or fails the run, one too large fails the run.
 */
export function crossEntropy(logits: Tensor, targets: Tensor, { ignoreIndex = -100 }: CrossEntropyOptions = {}): Tensor {
  return logits.builder.apply('crossEntropy', [logits, targets], { ignoreIndex })[0]!
}
