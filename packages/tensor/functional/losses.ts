import type { Tensor } from '../tensor.js'

export interface CrossEntropyOptions {
  /** Rows with this target do not count. Default -100, as in PyTorch. */
  readonly ignoreIndex?: number
  /** Share of each target that is spread evenly over all classes (Szegedy et al. 2016). Default 0. */
  readonly labelSmoothing?: number
}

/**
 * Mean cross-entropy in nats of logits [N, classes] against class indices i64 [N]. A target outside 0…classes-1 that is not
 * `ignoreIndex` is never taken for another class: a negative one makes the loss NaN or fails the run, one too large fails the run.
 */
export function crossEntropy(logits: Tensor, targets: Tensor, options: CrossEntropyOptions = {}): Tensor {
  const { ignoreIndex = -100, labelSmoothing = 0 } = options
  return logits.builder.apply('crossEntropy', [logits, targets], { ignoreIndex, labelSmoothing })[0]!
}

/** Cross-entropy in nats of each probability of `p` against a target of [0, 1] of its own; logarithms end at -100. */
export function binaryCrossEntropy(p: Tensor, targets: Tensor): Tensor {
  return p.builder.apply('binaryCrossEntropy', [p, targets])[0]!
}

/** The same of sigmoid(logits), exact for logits of any size. */
export function binaryCrossEntropyWithLogits(logits: Tensor, targets: Tensor): Tensor {
  return logits.builder.apply('binaryCrossEntropyWithLogits', [logits, targets])[0]!
}
