import type { Metric } from '../compile-step.js'

/** Share of right answers: the largest of the last dimension of output [..., classes] is target [...] (class indices). */
export const accuracy: Metric = (output, target) => {
  return output.argmax(-1).equal(target.cast('i64')).where(1, 0).mean()
}

/** Mean of |output - target|. */
export const meanAbsoluteError: Metric = (output, target) => output.sub(target).abs().mean()
