import type { Attributes } from '../../program.js'
import { map } from '../nd.js'
import { binary, type OpReference, type References, singles, unary } from './cases.js'
import { erf } from './math.js'

export const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))
const softplus = (x: number) => Math.log1p(Math.exp(-Math.abs(x))) + Math.max(x, 0)
const hardsigmoid = (x: number) => Math.min(1, Math.max(0, x / 6 + 0.5))
const geluTanh = (x: number) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))

/** A nonlinearity with a parameter `alpha`. */
const withAlpha = (f: (x: number, alpha: number) => number): OpReference => ({
  value: ([x], { alpha }: Attributes) => map((value) => f(value!, alpha as number), x!),
  cases: singles.map((single, index) => ({ ...single, attributes: { alpha: 0.3 + 0.4 * index } })),
})

export const activations: References = {
  sigmoid: unary(sigmoid),
  relu: unary((x) => Math.max(x, 0)),
  reluGradient: binary((dy, y) => (y > 0 ? dy : 0)),
  leakyRelu: withAlpha((x, alpha) => (x > 0 ? x : alpha * x)),
  prelu: {
    value: ([x, slope]) => map((value, s) => (value! > 0 ? value! : s! * value!), x!, slope!),
    cases: [
      { shapes: [[], []] },
      { shapes: [[5], [1]] },
      { shapes: [[2, 3], [3]] },
      {
        shapes: [
          [2, 3, 4],
          [3, 1],
        ],
      },
      { shapes: [[0, 3], [3]] },
      {
        shapes: [
          [1, 2],
          [1, 1],
        ],
      },
    ],
  },
  elu: withAlpha((x, alpha) => (x > 0 ? x : alpha * Math.expm1(x))),
  celu: withAlpha((x, alpha) => (x > 0 ? x : alpha * Math.expm1(x / alpha))),
  selu: unary((x) => 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * Math.expm1(x))),
  gelu: unary((x) => (x / 2) * (1 + erf(x / Math.SQRT2))),
  geluTanh: unary(geluTanh),
  softplus: unary(softplus, { domain: [-9, 9] }),
  softsign: unary((x) => x / (1 + Math.abs(x))),
  mish: unary((x) => x * Math.tanh(softplus(x)), { domain: [-5, 5] }),
  hardswish: unary((x) => x * hardsigmoid(x), { domain: [-5, 5] }),
  hardsigmoid: unary(hardsigmoid, { domain: [-5, 5] }),
  silu: unary((x) => x * sigmoid(x)),
}
