import type { Metric } from '../compile-step.js'

/** Share of right answers: the largest of the last dimension of output [..., classes] is target [...] (class indices). */
export const accuracy: Metric = (output, target) => {
  const classes = output.shape.at(-1)!
  const rows = output.reshape([-1, classes])
  const picked = rows.gather(-1, target.reshape([-1, 1]))
  return picked
    .equal(rows.max(-1, { keepDims: true }))
    .where(1, 0)
    .mean()
}

/** Mean of |output - target|. */
export const meanAbsoluteError: Metric = (output, target) => output.sub(target).abs().mean()
