import { type CrossEntropyOptions, crossEntropy as crossEntropyOp, type Tensor } from '@enigma/tensor'

/** A loss: predictions and targets to a scalar. */
export type Loss = (output: Tensor, target: Tensor) => Tensor

/** Mean cross-entropy in nats; logits [..., classes], class indices i64 [...]. */
export const crossEntropy = (output: Tensor, target: Tensor, options: CrossEntropyOptions = {}): Tensor =>
  crossEntropyOp(output.reshape([-1, output.shape.at(-1)!]), target.reshape([-1]), options)

/** Mean squared error. */
export const mse: Loss = (output, target) => {
  const difference = output.sub(target)
  return difference.mul(difference).mean()
}
