import type { Operand } from '../builder.js'
import type { Tensor } from '../tensor.js'

/** Weights of one layer and direction, as PyTorch's `weight_ih_l0` and so on: G·H rows for the G gates. */
export interface RecurrentWeights {
  /** [G·H, I] */
  readonly weightIh: Operand
  /** [G·H, H] */
  readonly weightHh: Operand
  /** [G·H] */
  readonly biasIh: Operand
  /** [G·H] */
  readonly biasHh: Operand
}

const lifted = (x: Tensor, { weightIh, weightHh, biasIh, biasHh }: RecurrentWeights) =>
  [weightIh, weightHh, biasIh, biasHh].map((operand) => x.builder.lift(operand))

/** One LSTM layer over x [T, B, I] from states [B, H]; gates i, f, g, o. `output` [T, B, H]. */
export function lstm(x: Tensor, weights: RecurrentWeights, h0: Tensor, c0: Tensor): { output: Tensor; h: Tensor; c: Tensor } {
  const [output, h, c] = x.builder.apply('lstm', [x, ...lifted(x, weights), h0, c0])
  return { output: output!, h: h!, c: c! }
}

/** One GRU layer over x [T, B, I] from a state [B, H]; gates r, z, n. `output` [T, B, H]. */
export function gru(x: Tensor, weights: RecurrentWeights, h0: Tensor): { output: Tensor; h: Tensor } {
  const [output, h] = x.builder.apply('gru', [x, ...lifted(x, weights), h0])
  return { output: output!, h: h! }
}
