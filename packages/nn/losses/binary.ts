import { binaryCrossEntropy, binaryCrossEntropyWithLogits, type Operand, type Tensor } from '@enigma/tensor'
import { optionsOf } from '../options.js'
import { type ReductionOptions, reduced } from './reduction.js'

export interface BceOptions extends ReductionOptions {
  /** What each element counts; broadcasts. Default: 1. */
  readonly weight?: Operand
}

export interface BceWithLogitsOptions extends BceOptions {
  /** What a positive target counts against a negative one; broadcasts, such as one for each class. Default: 1. */
  readonly posWeight?: Operand
}

/** Binary cross-entropy in nats of probabilities against targets of [0, 1], of one shape. @throws TensorError SHAPE_MISMATCH */
export function bce(output: Tensor, target: Tensor, options: BceOptions = {}): Tensor {
  const { weight, reduction } = optionsOf('losses.bce', options, "reduction: 'sum'")
  return reduced(weighted(binaryCrossEntropy(output, target), weight), reduction)
}

/** The same of sigmoid(output), exact for logits of any size. @throws TensorError SHAPE_MISMATCH */
export function bceWithLogits(output: Tensor, target: Tensor, options: BceWithLogitsOptions = {}): Tensor {
  const { weight, posWeight, reduction } = optionsOf('losses.bceWithLogits', options, "reduction: 'sum'")
  const plain = binaryCrossEntropyWithLogits(output, target)
  if (posWeight === undefined) return reduced(weighted(plain, weight), reduction)
  // log(1 + e^-x), the loss of a positive, counts 1 + (posWeight - 1)·target instead of 1.
  const positive = binaryCrossEntropyWithLogits(output, target.mul(0).add(1))
  const extra = output.builder.lift(posWeight).sub(1).mul(target).mul(positive)
  return reduced(weighted(plain.add(extra), weight), reduction)
}

const weighted = (losses: Tensor, weight: Operand | undefined) => (weight === undefined ? losses : losses.mul(weight))
