import type { Operand } from '../builder.js'
import type { Tensor } from '../tensor.js'

/** x / sqrt(mean(x²) + epsilon) · weight over the last dimension. */
export function rmsNorm(x: Tensor, weight: Operand, epsilon = 1e-6): Tensor {
  return x.builder.apply('rmsNorm', [x, x.builder.lift(weight)], { epsilon })[0]!
}

/** `[rmsNorm(a + b), a + b]` in one kernel. Inference only. */
export function addRmsNorm(a: Tensor, b: Tensor, weight: Operand, epsilon = 1e-6): [Tensor, Tensor] {
  const [normalized, sum] = a.builder.apply('addRmsNorm', [a, b, a.builder.lift(weight)], { epsilon })
  return [normalized!, sum!]
}
