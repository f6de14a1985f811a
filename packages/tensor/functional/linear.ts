import type { Operand } from '../builder.js'
import type { Tensor } from '../tensor.js'

/** y = x · weightᵀ (+ bias) for x [..., in], weight [out, in] and bias [out], as `torch.nn.functional.linear`. */
export function linear(x: Tensor, weight: Operand, bias?: Operand): Tensor {
  const w = x.builder.lift(weight)
  const lead = x.shape.slice(0, -1)
  const flat = x.rank === 2 ? x : x.reshape([-1, x.shape.at(-1)!])
  const product = flat.matmul(w, { transB: true })
  const y = bias === undefined ? product : product.add(bias)
  return x.rank === 2 ? y : y.reshape([...lead, w.shape[0]!])
}

/** silu(gate) · up. */
export function swiglu(gate: Tensor, up: Tensor): Tensor {
  return gate.builder.apply('swiglu', [gate, up])[0]!
}
